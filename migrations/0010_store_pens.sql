-- The store's own furniture: who writes for a shop. With one process on a folder nobody else can, and the table stays empty; of
-- several servers on one database the one writes whose transaction has locked the shop's row.
CREATE TABLE pen (
    shop {id},                      -- number: the shop, 0 for the house
    holder {int} NOT NULL           -- clear: number of the writer that held it last
) {rows};
