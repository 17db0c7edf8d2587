CREATE TABLE `attempts` (
	`task` integer NOT NULL,
	`attempt` integer NOT NULL,
	`node` integer NOT NULL,
	`node_name` text NOT NULL,
	`gpus` text NOT NULL,
	`state` text NOT NULL,
	`generation` integer NOT NULL,
	`observed` text,
	`stuck` integer NOT NULL,
	`stop` text,
	`assigned_ms` integer NOT NULL,
	`started_ms` integer,
	`ended_ms` integer,
	`end` text,
	PRIMARY KEY(`task`, `attempt`),
	FOREIGN KEY (`task`) REFERENCES `tasks`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`node`) REFERENCES `nodes`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `attempts_live` ON `attempts` (`node`) WHERE ended_ms is null;--> statement-breakpoint
CREATE TABLE `counters` (
	`kind` text PRIMARY KEY NOT NULL,
	`next` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `credentials` (
	`id` integer PRIMARY KEY NOT NULL,
	`jti_hash` text NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`scopes` text NOT NULL,
	`created_ms` integer NOT NULL,
	`expires_ms` integer,
	`used_ms` integer,
	`revoked_ms` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `credentials_jti_hash_unique` ON `credentials` (`jti_hash`);--> statement-breakpoint
CREATE TABLE `events` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at_ms` integer NOT NULL,
	`type` text NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`rev` integer NOT NULL,
	`attempt` integer,
	`actor` text,
	`data` text
);
--> statement-breakpoint
CREATE INDEX `events_subject` ON `events` (`kind`,`subject`,`seq`);--> statement-breakpoint
CREATE TABLE `idempotency` (
	`principal` text NOT NULL,
	`route` text NOT NULL,
	`key` text NOT NULL,
	`body_hash` text NOT NULL,
	`made` text NOT NULL,
	`created_ms` integer NOT NULL,
	PRIMARY KEY(`principal`, `route`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_age` ON `idempotency` (`created_ms`);--> statement-breakpoint
CREATE TABLE `meta` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `nodes` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`public_key` text NOT NULL,
	`machine_id` text NOT NULL,
	`tls_pin` text,
	`labels` text NOT NULL,
	`state` text NOT NULL,
	`draining` text,
	`rev` integer NOT NULL,
	`generation` integer NOT NULL,
	`capacity` text,
	`api_address` text,
	`data_address` text,
	`boot` text,
	`joined_ms` integer NOT NULL,
	`last_contact_ms` integer,
	`removed_ms` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `nodes_name` ON `nodes` (`name`) WHERE removed_ms is null;--> statement-breakpoint
CREATE TABLE `task_labels` (
	`key` text NOT NULL,
	`value` text NOT NULL,
	`task` integer NOT NULL,
	PRIMARY KEY(`key`, `value`, `task`),
	FOREIGN KEY (`task`) REFERENCES `tasks`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `task_labels_task` ON `task_labels` (`task`);--> statement-breakpoint
CREATE TABLE `tasks` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`owner` text NOT NULL,
	`state` text NOT NULL,
	`stuck` integer NOT NULL,
	`priority` integer NOT NULL,
	`spec` text NOT NULL,
	`node` integer,
	`node_name` text,
	`attempt` integer NOT NULL,
	`gpus` text NOT NULL,
	`rev` integer NOT NULL,
	`reason` text,
	`end` text,
	`created_ms` integer NOT NULL,
	`started_ms` integer,
	`ended_ms` integer,
	FOREIGN KEY (`node`) REFERENCES `nodes`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `tasks_queue` ON `tasks` (`state`,`priority`,`id`);--> statement-breakpoint
CREATE INDEX `tasks_node` ON `tasks` (`node`,`id`);--> statement-breakpoint
CREATE INDEX `tasks_name` ON `tasks` (`name`,`id`);--> statement-breakpoint
CREATE INDEX `tasks_owner` ON `tasks` (`owner`,`id`);