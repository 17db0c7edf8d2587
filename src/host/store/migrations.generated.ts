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
  },
  {
    "name": "0001_shared_database",
    "hash": "0ec3b233f236dde12a4809b7fcb0ead14111a3f3ab73fa2547eb4a853968b3e9",
    "statements": [
      "CREATE TABLE `contacts` (\n\t`node` integer PRIMARY KEY NOT NULL,\n\t`at_ms` integer NOT NULL,\n\t`load` text,\n\tFOREIGN KEY (`node`) REFERENCES `nodes`(`id`) ON UPDATE no action ON DELETE cascade\n);",
      "CREATE TABLE `leases` (\n\t`name` text PRIMARY KEY NOT NULL,\n\t`holder` text NOT NULL,\n\t`fence` integer NOT NULL,\n\t`expires_ms` integer NOT NULL\n);",
      "CREATE TABLE `runner_sessions` (\n\t`id` text PRIMARY KEY NOT NULL,\n\t`node` integer NOT NULL,\n\t`proof_hash` text NOT NULL,\n\t`last_seq` integer NOT NULL,\n\t`expires_ms` integer NOT NULL,\n\tFOREIGN KEY (`node`) REFERENCES `nodes`(`id`) ON UPDATE no action ON DELETE cascade\n);",
      "CREATE UNIQUE INDEX `runner_sessions_proof_hash_unique` ON `runner_sessions` (`proof_hash`);"
    ]
  },
  {
    "name": "0002_task_system",
    "hash": "1af0eee8e02d37ee1714499602a9e30d7fc155698984a0d2facf5e3eddc928d6",
    "statements": [
      "ALTER TABLE `attempts` ADD `paused` integer DEFAULT false NOT NULL;",
      "ALTER TABLE `tasks` ADD `batch` integer;",
      "ALTER TABLE `tasks` ADD `members` text;",
      "ALTER TABLE `tasks` ADD `together` integer;",
      "ALTER TABLE `tasks` ADD `eligible_ms` integer;",
      "ALTER TABLE `tasks` ADD `failures` integer DEFAULT 0 NOT NULL;",
      "CREATE INDEX `tasks_batch` ON `tasks` (`batch`,`id`);"
    ]
  },
  {
    "name": "0003_node_held",
    "hash": "00dec5f9523a30c63f5cd3e8a69896e6157d1546b114e76b475fc9882e40e836",
    "statements": [
      "ALTER TABLE `nodes` ADD `former_boot` text;",
      "ALTER TABLE `nodes` ADD `held` text;"
    ]
  }
];
