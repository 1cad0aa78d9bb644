CREATE TABLE "audit_records" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_records_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"action" text NOT NULL,
	"subject_id" bigint NOT NULL,
	"actor" text NOT NULL,
	"actor_id" bigint NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audit_records_action_check" CHECK ("audit_records"."action" in ('user.deleted', 'user.exported')),
	CONSTRAINT "audit_records_actor_check" CHECK ("audit_records"."actor" in ('self', 'admin', 'api-key'))
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"digest" text PRIMARY KEY NOT NULL,
	"fingerprint" text,
	"user_id" bigint NOT NULL,
	"answer" jsonb,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
DROP INDEX "users_status_id_index";--> statement-breakpoint
CREATE INDEX "audit_records_subject_id_index" ON "audit_records" USING btree ("subject_id","id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_user_id_index" ON "idempotency_keys" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_created_at_index" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "users_created_at_index" ON "users" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "users_status_created_at_index" ON "users" USING btree ("status","created_at","id");--> statement-breakpoint
CREATE INDEX "users_name_index" ON "users" USING btree ((lower("name") collate "C"),"id");--> statement-breakpoint
CREATE INDEX "users_status_name_index" ON "users" USING btree ("status",(lower("name") collate "C"),"id");