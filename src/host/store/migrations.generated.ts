// Made by scripts/migrations.mjs from migrations/*.sql.
import type { Migration } from './migrate.ts';

export const migrations: readonly Migration[] = [
  {
    "name": "0000_start",
    "hash": "8b20c295381772d02568247dd19afec03656262f5395eb7e92b248b8c6af6095",
    "statements": [
      "CREATE TABLE `attempts` (\n\t`task` integer NOT NULL,\n\t`attempt` integer NOT NULL,\n\t`node` integer NOT NULL,\n\t`node_name` text NOT NULL,\n\t`gpus` text NOT NULL,\n\t`state` text NOT NULL,\n\t`generation` integer NOT NULL,\n\t`observed` text,\n\t`stuck` integer NOT NULL,\n\t`stop` text,\n\t`assigned_ms` integer NOT NULL,\n\t`started_ms` integer,\n\t`ended_ms` integer,\n\t`end` text,\n\tPRIMARY KEY(`task`, `attempt`),\n\tFOREIGN KEY (`task`) REFERENCES `tasks`(`id`) ON UPDATE no action ON DELETE cascade,\n\tFOREIGN KEY (`node`) REFERENCES `nodes`(`id`) ON UPDATE no action ON DELETE no action\n);",
      "CREATE INDEX `attempts_live` ON `attempts` (`node`) WHERE ended_ms is null;",
      "CREATE TABLE `counters` (\n\t`kind` text PRIMARY KEY NOT NULL,\n\t`next` integer NOT NULL\n);",
      "CREATE TABLE `credentials` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\t`jti_hash` text NOT NULL,\n\t`kind` text NOT NULL,\n\t`subject` text NOT NULL,\n\t`scopes` text NOT NULL,\n\t`created_ms` integer NOT NULL,\n\t`expires_ms` integer,\n\t`used_ms` integer,\n\t`revoked_ms` integer\n);",
      "CREATE UNIQUE INDEX `credentials_jti_hash_unique` ON `credentials` (`jti_hash`);",
      "CREATE TABLE `events` (\n\t`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,\n\t`at_ms` integer NOT NULL,\n\t`type` text NOT NULL,\n\t`kind` text NOT NULL,\n\t`subject` text NOT NULL,\n\t`rev` integer NOT NULL,\n\t`attempt` integer,\n\t`actor` text,\n\t`data` text\n);",
      "CREATE INDEX `events_subject` ON `events` (`kind`,`subject`,`seq`);",
      "CREATE TABLE `idempotency` (\n\t`principal` text NOT NULL,\n\t`route` text NOT NULL,\n\t`key` text NOT NULL,\n\t`body_hash` text NOT NULL,\n\t`made` text NOT NULL,\n\t`created_ms` integer NOT NULL,\n\tPRIMARY KEY(`principal`, `route`, `key`)\n);",
      "CREATE INDEX `idempotency_age` ON `idempotency` (`created_ms`);",
      "CREATE TABLE `meta` (\n\t`key` text PRIMARY KEY NOT NULL,\n\t`value` text NOT NULL\n);",
      "CREATE TABLE `nodes` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\t`name` text NOT NULL,\n\t`public_key` text NOT NULL,\n\t`machine_id` text NOT NULL,\n\t`tls_pin` text,\n\t`labels` text NOT NULL,\n\t`state` text NOT NULL,\n\t`draining` text,\n\t`rev` integer NOT NULL,\n\t`generation` integer NOT NULL,\n\t`capacity` text,\n\t`api_address` text,\n\t`data_address` text,\n\t`boot` text,\n\t`joined_ms` integer NOT NULL,\n\t`last_contact_ms` integer,\n\t`removed_ms` integer\n);",
      "CREATE UNIQUE INDEX `nodes_name` ON `nodes` (`name`) WHERE removed_ms is null;",
      "CREATE TABLE `task_labels` (\n\t`key` text NOT NULL,\n\t`value` text NOT NULL,\n\t`task` integer NOT NULL,\n\tPRIMARY KEY(`key`, `value`, `task`),\n\tFOREIGN KEY (`task`) REFERENCES `tasks`(`id`) ON UPDATE no action ON DELETE cascade\n);",
      "CREATE INDEX `task_labels_task` ON `task_labels` (`task`);",
      "CREATE TABLE `tasks` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\t`name` text NOT NULL,\n\t`owner` text NOT NULL,\n\t`state` text NOT NULL,\n\t`stuck` integer NOT NULL,\n\t`priority` integer NOT NULL,\n\t`spec` text NOT NULL,\n\t`node` integer,\n\t`node_name` text,\n\t`attempt` integer NOT NULL,\n\t`gpus` text NOT NULL,\n\t`rev` integer NOT NULL,\n\t`reason` text,\n\t`end` text,\n\t`created_ms` integer NOT NULL,\n\t`started_ms` integer,\n\t`ended_ms` integer,\n\tFOREIGN KEY (`node`) REFERENCES `nodes`(`id`) ON UPDATE no action ON DELETE no action\n);",
      "CREATE INDEX `tasks_queue` ON `tasks` (`state`,`priority`,`id`);",
      "CREATE INDEX `tasks_node` ON `tasks` (`node`,`id`);",
      "CREATE INDEX `tasks_name` ON `tasks` (`name`,`id`);",
      "CREATE INDEX `tasks_owner` ON `tasks` (`owner`,`id`);"
    ]
  }
];
