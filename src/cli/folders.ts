import { posix, win32 } from 'node:path';
import type { Folders } from './cli.ts';

interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  /** -1 where there are none. */
  uid: number;
  /** `process.platform` */
  platform: string;
}

/** Where things belong on this system. A variable that is not absolute is ignored, as the XDG specification asks. */
export function findFolders({ env, home, uid, platform }: Surroundings): Folders {
  if (platform === 'win32') return onWindows(env, home);
  const mac = platform === 'darwin';
  const library = posix.join(home, 'Library/Application Support');
  const config = absolute(env['XDG_CONFIG_HOME'], mac ? library : posix.join(home, '.config'));
  const data = absolute(env['XDG_DATA_HOME'], mac ? library : posix.join(home, '.local/share'));
  return {
    config: posix.join(config, 'weir'),
    data: uid === 0 ? '/var/lib/weir' : posix.join(data, 'weir'),
    system: '/etc/weir',
  };
}

function absolute(value: string | undefined, usual: string): string {
  return value?.startsWith('/') ? value : usual;
}

function onWindows(env: Surroundings['env'], home: string): Folders {
  const under = (name: string, ...usual: string[]): string => {
    const value = env[name];
    const folder = value && win32.isAbsolute(value) ? value : win32.join(...usual);
    return win32.join(folder, 'weir');
  };
  return {
    config: under('APPDATA', home, 'AppData', 'Roaming'),
    data: under('LOCALAPPDATA', home, 'AppData', 'Local'),
    system: under('ProgramData', 'C:\\ProgramData'),
  };
}
