/** Path of the Engine's socket: `DOCKER_HOST` when it names one, as the Engine's own client does. */
export function dockerSocket(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['DOCKER_HOST'];
  return named?.startsWith('unix://') ? named.slice('unix://'.length) : '/var/run/docker.sock';
}
