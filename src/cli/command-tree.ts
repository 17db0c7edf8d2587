import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Cli } from './cli.ts';

export type MakeCommand = (cli: Cli) => CommandUnknownOpts;

/** A command whose file is loaded when it is called, or a group of commands. */
export type Entry =
  | { name: string; summary: string; load: () => Promise<MakeCommand> }
  | { name: string; summary: string; entries: readonly Entry[] };

const task: readonly Entry[] = [
  {
    name: 'submit',
    summary: 'submit tasks and come back at once',
    load: async () => (await import('./commands/task/submit.ts')).taskSubmit,
  },
  {
    name: 'list',
    summary: 'list tasks',
    load: async () => (await import('./commands/task/list.ts')).taskList,
  },
  {
    name: 'show',
    summary: 'show a task',
    load: async () => (await import('./commands/task/show.ts')).taskShow,
  },
  {
    name: 'logs',
    summary: "print a task's output",
    load: async () => (await import('./commands/task/logs.ts')).taskLogs,
  },
  {
    name: 'kill',
    summary: 'stop tasks',
    load: async () => (await import('./commands/task/kill.ts')).taskKill,
  },
  {
    name: 'pause',
    summary: 'freeze running tasks',
    load: async () => (await import('./commands/task/pause.ts')).taskPause,
  },
  {
    name: 'resume',
    summary: 'let paused tasks go on',
    load: async () => (await import('./commands/task/resume.ts')).taskResume,
  },
  {
    name: 'retry',
    summary: 'run tasks that did not succeed once more',
    load: async () => (await import('./commands/task/retry.ts')).taskRetry,
  },
  {
    name: 'hold',
    summary: 'keep queued tasks from starting',
    load: async () => (await import('./commands/task/hold.ts')).taskHold,
  },
  {
    name: 'release',
    summary: 'let held tasks into the queue',
    load: async () => (await import('./commands/task/release.ts')).taskRelease,
  },
  {
    name: 'extend',
    summary: 'change the time limit of tasks, also while they run',
    load: async () => (await import('./commands/task/extend.ts')).taskExtend,
  },
  {
    name: 'priority',
    summary: 'change the priority of tasks that wait',
    load: async () => (await import('./commands/task/priority.ts')).taskPriority,
  },
  {
    name: 'wait',
    summary: 'wait until tasks have ended',
    load: async () => (await import('./commands/task/wait.ts')).taskWait,
  },
  {
    name: 'explain',
    summary: 'say why a task waits and what would change it',
    load: async () => (await import('./commands/task/explain.ts')).taskExplain,
  },
];

const node: readonly Entry[] = [
  {
    name: 'list',
    summary: 'list nodes',
    load: async () => (await import('./commands/node/list.ts')).nodeList,
  },
  {
    name: 'show',
    summary: 'show a node',
    load: async () => (await import('./commands/node/show.ts')).nodeShow,
  },
  {
    name: 'join-token',
    summary: 'make a token with which a machine joins',
    load: async () => (await import('./commands/node/join-token.ts')).nodeJoinToken,
  },
  {
    name: 'drain',
    summary: 'give nodes no new work',
    load: async () => (await import('./commands/node/drain.ts')).nodeDrain,
  },
  {
    name: 'undrain',
    summary: 'give nodes new work again',
    load: async () => (await import('./commands/node/undrain.ts')).nodeUndrain,
  },
  {
    name: 'cordon',
    summary: 'give nodes no new work for a while',
    load: async () => (await import('./commands/node/cordon.ts')).nodeCordon,
  },
  {
    name: 'uncordon',
    summary: 'give cordoned nodes new work again',
    load: async () => (await import('./commands/node/uncordon.ts')).nodeUncordon,
  },
  {
    name: 'release',
    summary: 'let a doubled node report again',
    load: async () => (await import('./commands/node/release.ts')).nodeRelease,
  },
  {
    name: 'label',
    summary: 'set labels of a node',
    load: async () => (await import('./commands/node/label.ts')).nodeLabel,
  },
  {
    name: 'remove',
    summary: 'take nodes out of the cluster',
    load: async () => (await import('./commands/node/remove.ts')).nodeRemove,
  },
];

const context: readonly Entry[] = [
  {
    name: 'list',
    summary: 'list the saved Hosts',
    load: async () => (await import('./commands/context/list.ts')).contextList,
  },
  {
    name: 'use',
    summary: 'use another saved Host',
    load: async () => (await import('./commands/context/use.ts')).contextUse,
  },
  {
    name: 'remove',
    summary: 'forget a saved Host',
    load: async () => (await import('./commands/context/remove.ts')).contextRemove,
  },
];

const config: readonly Entry[] = [
  {
    name: 'init',
    summary: 'write a configuration file with every key',
    load: async () => (await import('./commands/config/init.ts')).configInit,
  },
  {
    name: 'show',
    summary: 'show each value and where it comes from',
    load: async () => (await import('./commands/config/show.ts')).configShow,
  },
  {
    name: 'check',
    summary: 'list all that is wrong with a configuration',
    load: async () => (await import('./commands/config/check.ts')).configCheck,
  },
];

/** Every command there is. */
export const commandTree: readonly Entry[] = [
  {
    name: 'run',
    summary: 'run a command on the cluster',
    load: async () => (await import('./commands/run.ts')).run,
  },
  { name: 'task', summary: 'submit, look at and stop tasks', entries: task },
  { name: 'node', summary: 'look at nodes, add and remove them', entries: node },
  {
    name: 'events',
    summary: 'show what happens, as it happens',
    load: async () => (await import('./commands/events.ts')).events,
  },
  {
    name: 'status',
    summary: 'show how the cluster is',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'login',
    summary: 'save a Host and a token',
    load: async () => (await import('./commands/login.ts')).login,
  },
  { name: 'context', summary: 'choose among the saved Hosts', entries: context },
  {
    name: 'up',
    summary: 'run Host and Runner on one machine',
    load: async () => (await import('./commands/up.ts')).up,
  },
  {
    name: 'host',
    summary: 'run the Host',
    load: async () => (await import('./commands/host.ts')).host,
  },
  {
    name: 'runner',
    summary: 'run the Runner of this machine',
    load: async () => (await import('./commands/runner.ts')).runner,
  },
  { name: 'config', summary: 'the configuration of Host and Runner here', entries: config },
  {
    name: 'version',
    summary: 'show versions',
    load: async () => (await import('./commands/version.ts')).version,
  },
  {
    name: 'completion',
    summary: 'print a completion script for a shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
];
