import { join } from 'node:path';
import type { Folders } from './cli.ts';

interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  uid: number;
}

/** An XDG variable that is not absolute is ignored, as the specification asks. */
function xdg(value: string | undefined, usual: string): string {
  return value?.startsWith('/') ? value : usual;
}

export function findFolders({ env, home, uid }: Surroundings): Folders {
  const data = join(xdg(env['XDG_DATA_HOME'], join(home, '.local/share')), 'weir');
  return {
    config: join(xdg(env['XDG_CONFIG_HOME'], join(home, '.config')), 'weir'),
    data: uid === 0 ? '/var/lib/weir' : data,
    system: '/etc/weir',
  };
}
