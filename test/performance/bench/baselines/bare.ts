import { allHeadersOf, listenWithUsers } from './listen.ts';

/**
 * Bare node:http that serves the same bytes as Headroom does, with all its header fields: those of 1,000 users, made before the first request, by
 * URL. Written as is fastest: fields as one array, and the body as text, which goes out in one piece with them.
 */
await listenWithUsers(allHeadersOf);
