import { Option } from '@commander-js/extra-typings';
import { failureClasses } from '../../protocol/task-retry.ts';
import { priorityClasses, signals } from '../../protocol/task-spec.ts';
import type { PriorityClass } from '../../protocol/task-spec.ts';
import { collect, decimal, wholeNumber } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { clientCommand } from '../command.ts';

const priorities = Object.keys(priorityClasses) as [PriorityClass, ...PriorityClass[]];
const room = 'Resources:';
const place = 'Placement:';
const powers = 'Mounts and powers:';
const course = 'Course:';

/** A command with every field of a task spec as an option: `weir run` and `weir task submit`. */
export function specCommand(cli: Cli, name: string) {
  return withCourse(withPowers(withPlacement(withResources(withWork(cli, name)))))
    .option('--strict', 'refuse a task that no node could ever run')
    .option('--dry-run', 'show what the scheduler would do with it, and submit nothing');
}

type WorkCommand = ReturnType<typeof withWork>;

function withWork(cli: Cli, name: string) {
  return clientCommand(cli, name)
    .option('--image <image>', "container image; the operator's default when absent")
    .option('--shell <text>', 'run this text by /bin/sh instead of a command')
    .option('--stdin <file>', "what the process reads; `-` takes this command's own stdin")
    .option('--name <name>', 'name of the task')
    .option('-e, --env <key=value>', 'set a variable (repeat); KEY alone takes it from here', collect)
    .option('-w, --workdir <path>', 'folder to start in')
    .option('--user <user>', 'user, or user:group, inside the container')
    .option('-l, --label <key=value>', 'label of the task (repeat)', collect)
    .option('--owner <name>', 'whom the task belongs to');
}

function withResources(command: WorkCommand) {
  return command
    .addOption(opt('--cpus <number>', 'cores, such as 0.5', room).argParser(decimal))
    .addOption(
      opt('--cpu-limit <kind>', 'hard: never more; burst: idle cores too', room).choices(['hard', 'burst'] as const),
    )
    .addOption(opt('--memory <size>', 'memory, such as 512MiB', room))
    .addOption(opt('--gpus <count>', 'how many GPUs, or their UUIDs with commas between', room))
    .addOption(opt('--gpu-model <glob>', "GPUs of this model, such as '*A100*'", room))
    .addOption(opt('--gpu-memory <size>', 'GPUs with at least this memory each', room))
    .addOption(opt('--numa <number>', 'cores and memory of this NUMA node alone', room).argParser(wholeNumber))
    .addOption(opt('--shm <size>', 'size of /dev/shm', room))
    .addOption(opt('--pids <number>', 'most processes and threads', room).argParser(wholeNumber))
    .addOption(opt('--ulimit <name=soft[:hard]>', 'limit such as nofile=4096:8192 (repeat)', room).argParser(collect))
    .addOption(opt('--disk <size>', 'most that it may write beside its mounts', room));
}

function withPlacement(command: ReturnType<typeof withResources>) {
  return command
    .addOption(opt('--node <node>', 'only on this node', place))
    .addOption(opt('--node-label <key=value>', 'only on nodes with this label (repeat)', place).argParser(collect))
    .addOption(opt('--where <expression>', "conditions on node labels: 'gpu in (a100,h100), !slow'", place))
    .addOption(
      opt(
        '--target <place>',
        'node[:numa][::gpus], such as gpu-3::0,1 (repeat: one task each, all or none)',
        place,
      ).argParser(collect),
    );
}

function withPowers(command: ReturnType<typeof withPlacement>) {
  return command
    .addOption(
      opt('--mount <name:path>', "mount of the node's list: NAME:PATH[:ro][,sub=FOLDER] (repeat)", powers).argParser(
        collect,
      ),
    )
    .addOption(opt('--cap-add <name>', 'capability to add (repeat)', powers).argParser(collect))
    .addOption(opt('--device <path>', 'device to hand in (repeat)', powers).argParser(collect))
    .addOption(opt('--privileged', 'no walls to the node at all; for admins', powers))
    .addOption(opt('--network <kind>', 'which network it sees', powers).choices(['bridge', 'none', 'host'] as const));
}

function withCourse(command: ReturnType<typeof withPowers>) {
  return command
    .addOption(opt('--priority <class>', 'priority class', course).choices(priorities))
    .addOption(opt('--time-limit <duration>', 'stop it after this time, such as 2h', course))
    .addOption(opt('--stop-signal <signal>', 'how to ask it to stop', course).choices(signals))
    .addOption(opt('--stop-grace <duration>', 'how long it may take to stop', course))
    .addOption(opt('--retries <count>', 'how often it is tried again', course).argParser(wholeNumber))
    .addOption(
      opt('--retry-on <classes>', `after which failures, with commas between: ${failureClasses.join(', ')}`, course),
    )
    .addOption(opt('--retry-backoff <duration>', 'wait before the first retry; doubles', course))
    .addOption(opt('--on-node-loss <what>', 'when its node stays away', course).choices(['wait', 'requeue'] as const))
    .addOption(opt('--lease <duration>', 'after how long it is requeued then', course))
    .addOption(opt('--array <range>', 'one member for each index: 0-99, 0-99%10 (ten at a time)', course))
    .addOption(opt('--log-cap <size>', 'most output that is kept', course))
    .addOption(opt('--not-before <time>', 'does not start before: RFC 3339, or +2h from now', course))
    .addOption(opt('--hold', 'wait until somebody releases it', course));
}

function opt<const Flags extends string>(flags: Flags, text: string, group: string) {
  return new Option(flags, text).helpGroup(group);
}
