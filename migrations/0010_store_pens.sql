-- The store's own furniture: who writes for a shop. With one process on a folder nobody else can, and the table stays empty; of
-- several servers on one database the one writes whose transaction has locked the shop's row.
CREATE TABLE pen (
    shop {id},                      -- number: the shop; 0 for the house, -1 for what one server does for all
    holder {int} NOT NULL,          -- clear: number of the writer, or of the server, that held it last
    held_until {int} NOT NULL       -- clear: 0, or until when a server does it for all, µs UTC of the database's clock
) {rows};
