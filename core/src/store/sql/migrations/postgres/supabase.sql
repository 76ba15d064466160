-- Supabase exposes the schema public by HTTP, not trueup: one wrapper stands there. It runs with
-- the rights of its caller, so the grants on trueup.exchange decide as they do without it.
CREATE OR REPLACE FUNCTION public.trueup_exchange(request text) RETURNS text
LANGUAGE sql SECURITY INVOKER SET search_path = ''
AS 'SELECT trueup.exchange(request)';

-- Supabase grants every new function of public to anon, authenticated and service_role. Whoever
-- calls this one can change all work of all sessions:
--   anon            never: its key is in every web page
--   authenticated   not by itself: an application's users are not its agents. A project whose
--                   users are agents says `GRANT trueup_client TO authenticated`
--   service_role    the key that servers hold; it passes row-level security anyway
-- Agents use a token whose role is trueup_client, a hub one whose role is trueup_hub, which the gateway
-- must be able to take on.
REVOKE EXECUTE ON FUNCTION public.trueup_exchange(text) FROM PUBLIC;
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN SELECT rolname FROM pg_catalog.pg_roles
        WHERE rolname IN ('anon', 'authenticated', 'service_role', 'authenticator') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION public.trueup_exchange(text) FROM %I', found);
    END LOOP;
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT trueup_client TO service_role;
    END IF;
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'authenticator') THEN
        GRANT trueup_client, trueup_hub TO authenticator;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION public.trueup_exchange(text) TO trueup_client, trueup_hub;

-- The gateway knows functions from a cache. Supabase renews it by itself, PostgREST when it is told.
NOTIFY pgrst, 'reload schema';
