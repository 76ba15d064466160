-- Signs of life do not wait for their turn: a long commit of one session must not make the others
-- look dead. Each changes one row and writes no event. The column events.via, which the embedded
-- database gets with this number, is here already.

ALTER TABLE trueup.statements ADD COLUMN is_sign_of_life boolean NOT NULL DEFAULT false;

-- Whether the running request writes nothing but signs of life, as trueup.exchange says.
CREATE FUNCTION trueup.is_sign_of_life() RETURNS boolean
LANGUAGE sql STABLE
RETURN coalesce(current_setting('trueup.is_sign_of_life', true) = 'yes', false);

CREATE OR REPLACE FUNCTION trueup.take_turn_before_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT trueup.is_sign_of_life() THEN
        PERFORM trueup.take_turn();
    END IF;
    RETURN NULL;
END $$;

-- Whatever a request says of itself, an event is numbered in turn.
CREATE FUNCTION trueup.take_turn_before_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM trueup.take_turn();
    RETURN NULL;
END $$;

DROP TRIGGER take_turn ON trueup.events;

CREATE TRIGGER take_turn BEFORE INSERT OR UPDATE OR DELETE ON trueup.events
FOR EACH STATEMENT EXECUTE FUNCTION trueup.take_turn_before_event();
