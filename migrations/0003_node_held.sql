ALTER TABLE `nodes` ADD `former_boot` text;--> statement-breakpoint
ALTER TABLE `nodes` ADD `held` text;