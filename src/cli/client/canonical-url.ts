import { usageError } from '../cli-error.ts';

/**
 * The Host's address in one spelling, without a slash at the end.
 * @throws CliError when it is no http(s) URL, or carries a secret.
 */
export function canonicalUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageError(`"${text}" is not the URL of a Host`, 'write it like https://weir.example:8000');
  }
  if (url.username || url.password) {
    throw usageError('the URL carries a user or a password', 'give the token with --token-file or WEIR_TOKEN');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Whether the URL stays on this machine, so that nobody can listen to plain HTTP. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
