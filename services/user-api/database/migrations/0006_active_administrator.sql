-- Whatever suspends, deletes or demotes an administrator, one who is active is left. A trigger, because no single statement can
-- check it: two of them at once would each still see the other's administrator. The lock makes the second one wait and look again.
CREATE FUNCTION "keep_active_administrator"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	subject bigint := (to_jsonb(OLD) ->> TG_ARGV[0])::bigint;
BEGIN
	IF EXISTS (
		SELECT FROM "users" JOIN "accounts" ON "accounts"."user_id" = "users"."id"
		WHERE "users"."id" = subject AND "users"."status" = 'active' AND "accounts"."role" = 'admin'
	) THEN
		PERFORM pg_advisory_xact_lock(7265001);
		IF NOT EXISTS (
			SELECT FROM "users" JOIN "accounts" ON "accounts"."user_id" = "users"."id"
			WHERE "users"."id" <> subject AND "users"."status" = 'active' AND "accounts"."role" = 'admin'
		) THEN
			RAISE EXCEPTION 'No active administrator would be left'
				USING ERRCODE = 'check_violation', CONSTRAINT = 'active_administrator',
					HINT = 'Make another active user an administrator first.';
		END IF;
	END IF;
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
--> statement-breakpoint
CREATE TRIGGER "users_keep_administrator_on_delete" BEFORE DELETE ON "users" FOR EACH ROW
	WHEN (OLD."status" = 'active') EXECUTE FUNCTION "keep_active_administrator"('id');
--> statement-breakpoint
CREATE TRIGGER "users_keep_administrator_on_update" BEFORE UPDATE OF "status" ON "users" FOR EACH ROW
	WHEN (OLD."status" = 'active' AND NEW."status" <> 'active') EXECUTE FUNCTION "keep_active_administrator"('id');
--> statement-breakpoint
CREATE TRIGGER "accounts_keep_administrator_on_delete" BEFORE DELETE ON "accounts" FOR EACH ROW
	WHEN (OLD."role" = 'admin') EXECUTE FUNCTION "keep_active_administrator"('user_id');
--> statement-breakpoint
CREATE TRIGGER "accounts_keep_administrator_on_update" BEFORE UPDATE OF "role" ON "accounts" FOR EACH ROW
	WHEN (OLD."role" = 'admin' AND NEW."role" <> 'admin') EXECUTE FUNCTION "keep_active_administrator"('user_id');
