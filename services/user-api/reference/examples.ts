import { METHODS, type OpenApiDocument } from './open-api.ts';

const user = {
  id: 1,
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  status: 'active',
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
  version: 1,
};
const { email: _, ...publicUser } = user;
const PASSWORD = 'correct horse battery staple';
const apiKey = {
  id: 7,
  name: 'nightly export',
  prefix: 'hrk_2Yx4',
  scopes: ['users:read-private'],
  createdAt: '2026-01-31T12:00:00.000Z',
  expiresAt: '2026-05-01T12:00:00.000Z',
  lastUsedAt: null,
  revokedAt: null,
};

/** By the name of a schema, a body of it. Secrets are not shown: what is here is made up, and too short to be one. */
const examples: Readonly<Record<string, unknown>> = {
  CreateUser: { name: user.name, email: user.email, password: PASSWORD },
  ReplaceUser: { name: user.name, email: user.email, status: 'active' },
  UpdateUser: { name: 'Ada King' },
  User: user,
  PublicUser: publicUser,
  VisibleUser: user,
  UserPage: { data: [publicUser], nextCursor: null },
  Login: { email: user.email, password: PASSWORD },
  RefreshToken: { refreshToken: 'the-refresh-token-of-the-last-answer' },
  Tokens: {
    accessToken: 'header.claims.signature',
    tokenType: 'Bearer',
    expiresInSeconds: 600,
    refreshToken: 'the-next-refresh-token',
    refreshExpiresInSeconds: 604_800,
  },
  CurrentUser: { user, role: 'user', credential: 'access-token' },
  ChangePassword: { currentPassword: PASSWORD, newPassword: 'incorrect horse battery staple' },
  RequestPasswordReset: { email: user.email },
  ResetPassword: { token: 'the-secret-of-the-link', newPassword: PASSWORD },
  SetRole: { role: 'admin' },
  UserRole: { userId: 1, role: 'admin' },
  CreateApiKey: { name: apiKey.name, scopes: apiKey.scopes, expiresInDays: 90 },
  ApiKey: apiKey,
  CreatedApiKey: { ...apiKey, key: 'hrk_2Yx4-and-the-rest-of-it' },
  ApiKeyList: { data: [apiKey] },
  Health: { status: 'ok', parts: { database: 'up', redis: 'up', queue: 'up' } },
  Liveness: { status: 'alive' },
  Readiness: { status: 'ready' },
};

interface MediaType {
  schema?: unknown;
  examples?: unknown;
}

function addExample(media: MediaType): void {
  const { schema } = media;
  if (typeof schema !== 'object' || schema === null || !('$ref' in schema)) return;
  const name = String(schema.$ref).replace('#/components/schemas/', '');
  const value = examples[name];
  if (value !== undefined) media.examples ??= { [name]: { value } };
}

/** Puts an example on each body whose schema has one. */
export function bodyExamples(document: OpenApiDocument): void {
  for (const item of Object.values(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      const body = operation?.requestBody;
      const contents = [
        ...(body !== undefined && 'content' in body ? [body.content] : []),
        ...Object.values(operation?.responses ?? {}).map((response) => response.content ?? {}),
      ];
      for (const content of contents) {
        for (const media of Object.values(content)) addExample(media as MediaType);
      }
    }
  }
}
