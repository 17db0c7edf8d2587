CREATE TABLE `contacts` (
	`node` integer PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`load` text,
	FOREIGN KEY (`node`) REFERENCES `nodes`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `leases` (
	`name` text PRIMARY KEY NOT NULL,
	`holder` text NOT NULL,
	`fence` integer NOT NULL,
	`expires_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `runner_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`node` integer NOT NULL,
	`proof_hash` text NOT NULL,
	`last_seq` integer NOT NULL,
	`expires_ms` integer NOT NULL,
	FOREIGN KEY (`node`) REFERENCES `nodes`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `runner_sessions_proof_hash_unique` ON `runner_sessions` (`proof_hash`);