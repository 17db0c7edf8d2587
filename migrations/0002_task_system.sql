ALTER TABLE `attempts` ADD `paused` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `tasks` ADD `batch` integer;--> statement-breakpoint
ALTER TABLE `tasks` ADD `members` text;--> statement-breakpoint
ALTER TABLE `tasks` ADD `together` integer;--> statement-breakpoint
ALTER TABLE `tasks` ADD `eligible_ms` integer;--> statement-breakpoint
ALTER TABLE `tasks` ADD `failures` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `tasks_batch` ON `tasks` (`batch`,`id`);