import { hash } from 'node:crypto';
import { PASSWORD_MAXIMUM_LENGTH, PASSWORD_MINIMUM_LENGTH } from '../../../contracts/password.ts';
import { cacheControl } from '../../cache/cache-control.ts';

/** Removes the secret from the fragment and the address bar at once, so that it does not stay in the history, and sends it with the new password. */
const script = `
const secret = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
history.replaceState(null, '', location.pathname);
const form = document.querySelector('form');
const message = document.querySelector('output');
if (secret === '') {
  form.hidden = true;
  message.textContent = 'This page is opened by the link in an email. Request a password reset to get one.';
}
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  message.textContent = 'One moment …';
  try {
    const answer = await fetch('/api/v1/auth/password-resets/confirm', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        token: secret,
        newPassword: form.elements.password.value,
        keepApiKeys: form.elements.keepApiKeys.checked,
      }),
    });
    if (answer.ok) {
      form.hidden = true;
      message.textContent = 'Your password is set, and all sessions have ended. Log in with the new one.';
      return;
    }
    const problem = await answer.json();
    const field = problem.errors?.[0];
    message.textContent = field ? 'The password ' + field.detail + '.' : problem.detail;
  } catch {
    message.textContent = 'The server could not be reached. Try again.';
  }
});
`;

const style = `
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark }
label { display: block; margin: 1rem 0 }
input[type=password] { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem }
button { font: inherit; padding: .5rem 1rem }
output { display: block; margin-top: 1rem }
`;

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Your new password</title>
<style>${style}</style>
<h1>Your new password</h1>
<form method="post">
<label>New password, of ${PASSWORD_MINIMUM_LENGTH} characters at least
<input type="password" name="password" autocomplete="new-password" required minlength="${PASSWORD_MINIMUM_LENGTH}" maxlength="${2 * PASSWORD_MAXIMUM_LENGTH}">
</label>
<label><input type="checkbox" name="keepApiKeys"> Keep my API keys: nobody else can have had my password</label>
<button>Set the password</button>
</form>
<output role="status"></output>
<script>${script}</script>
</html>
`;

const sourceOf = (text: string) => `'sha256-${hash('sha256', text, 'base64')}'`;

/**
 * The password reset page for installations without a front end (PASSWORD_RESET_URL). It loads nothing, cannot be framed, and connects to this
 * API
 * only.
 */
export function resetPageResponse(): Response {
  return new Response(page, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': cacheControl.moment,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'content-security-policy': [
        "default-src 'none'",
        `script-src ${sourceOf(script)}`,
        `style-src ${sourceOf(style)}`,
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
    },
  });
}
