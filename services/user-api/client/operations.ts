import type * as apiKeys from '../auth/api-keys/routes.ts';
import type * as auth from '../auth/routes.ts';
import type * as users from '../users/routes.ts';

export interface Routes {
  readonly createUser: typeof users.createUserRoute;
  readonly listUsers: typeof users.listUsersRoute;
  readonly getUser: typeof users.getUserRoute;
  readonly updateUser: typeof users.updateUserRoute;
  readonly replaceUser: typeof users.replaceUserRoute;
  readonly deleteUser: typeof users.deleteUserRoute;
  readonly exportUser: typeof users.exportUserRoute;
  readonly setRole: typeof auth.setRoleRoute;
  readonly endSessions: typeof auth.endSessionsRoute;
  readonly logIn: typeof auth.loginRoute;
  readonly refreshTokens: typeof auth.refreshRoute;
  readonly logOut: typeof auth.logoutRoute;
  readonly getCurrentUser: typeof auth.currentUserRoute;
  readonly changePassword: typeof auth.changePasswordRoute;
  readonly requestPasswordReset: typeof auth.requestPasswordResetRoute;
  readonly resetPassword: typeof auth.resetPasswordRoute;
  readonly createApiKey: typeof apiKeys.createApiKeyRoute;
  readonly listApiKeys: typeof apiKeys.listApiKeysRoute;
  readonly revokeApiKey: typeof apiKeys.revokeApiKeyRoute;
}
export type OperationId = keyof Routes;

/**
 * Whether a request with an unknown outcome may be repeated: `yes`, because it is idempotent; `key`, with Idempotency-Key; `if-match`, with
 * If-Match, because it could otherwise overwrite a concurrent change.
 */
export type Repeatability = 'yes' | 'key' | 'if-match' | 'no';

/** Run-time facts about operations, checked against the service's types. */
export type Operations = {
  readonly [Id in OperationId]: {
    readonly method: Routes[Id]['method'];
    readonly path: Routes[Id]['path'];
    readonly repeatable: Repeatability;
  };
};

export const operations: Operations = {
  createUser: { method: 'post', path: '/api/v1/users', repeatable: 'key' },
  listUsers: { method: 'get', path: '/api/v1/users', repeatable: 'yes' },
  getUser: { method: 'get', path: '/api/v1/users/{id}', repeatable: 'yes' },
  updateUser: { method: 'patch', path: '/api/v1/users/{id}', repeatable: 'if-match' },
  replaceUser: { method: 'put', path: '/api/v1/users/{id}', repeatable: 'if-match' },
  deleteUser: { method: 'delete', path: '/api/v1/users/{id}', repeatable: 'yes' },
  exportUser: { method: 'get', path: '/api/v1/users/{id}/export', repeatable: 'yes' },
  setRole: { method: 'put', path: '/api/v1/users/{id}/role', repeatable: 'no' },
  endSessions: { method: 'delete', path: '/api/v1/users/{id}/sessions', repeatable: 'yes' },
  logIn: { method: 'post', path: '/api/v1/auth/login', repeatable: 'no' },
  // Within the grace the service returns the same successor.
  refreshTokens: { method: 'post', path: '/api/v1/auth/refresh', repeatable: 'yes' },
  logOut: { method: 'post', path: '/api/v1/auth/logout', repeatable: 'yes' },
  getCurrentUser: { method: 'get', path: '/api/v1/auth/me', repeatable: 'yes' },
  // A repetition would find the current password wrong.
  changePassword: { method: 'put', path: '/api/v1/auth/password', repeatable: 'no' },
  requestPasswordReset: { method: 'post', path: '/api/v1/auth/password-resets', repeatable: 'no' },
  resetPassword: {
    method: 'post',
    path: '/api/v1/auth/password-resets/confirm',
    repeatable: 'no',
  },
  createApiKey: { method: 'post', path: '/api/v1/users/{id}/api-keys', repeatable: 'no' },
  listApiKeys: { method: 'get', path: '/api/v1/users/{id}/api-keys', repeatable: 'yes' },
  revokeApiKey: {
    method: 'delete',
    path: '/api/v1/users/{id}/api-keys/{apiKeyId}',
    repeatable: 'yes',
  },
};
