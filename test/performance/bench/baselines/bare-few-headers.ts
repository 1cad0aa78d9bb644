import { headersOf, listenWithUsers } from './listen.ts';

/** Bare node:http as ./bare.ts, but with those headers only that belong to the response as such: none of a feature. */
await listenWithUsers((body, version) =>
  Object.entries(headersOf(body, version)).flat().map(String),
);
