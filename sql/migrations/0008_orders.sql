-- Lists in the order of dates, titles, artists and albums are gone through in an index, from any place on: the file's
-- number is in it, so that equal values have an order too. Of a text only the first 200 characters count (an entry of a
-- btree ends at 2,704 bytes). The expressions are those of mediad/store/pages, word by word.

DROP INDEX reading_date;
CREATE INDEX reading_date ON reading (date COLLATE "C", file) WHERE date IS NOT NULL;
CREATE INDEX reading_title ON reading ((left(regexp_replace(normalize(lower(left(title, 200)), NFKD),
    E'[\u0300-\u036f]', '', 'g'), 200) COLLATE "C"), file) WHERE title IS NOT NULL;
CREATE INDEX reading_artist ON reading ((left(regexp_replace(normalize(lower(left(artist, 200)), NFKD),
    E'[\u0300-\u036f]', '', 'g'), 200) COLLATE "C"), file) WHERE artist IS NOT NULL;
CREATE INDEX reading_album ON reading ((left(regexp_replace(normalize(lower(left(album, 200)), NFKD),
    E'[\u0300-\u036f]', '', 'g'), 200) COLLATE "C"), file) WHERE album IS NOT NULL;

-- Rows of the text index lie on disk about in the order of the files' numbers: a few kilobytes say which pages a span of
-- files has, and what the inverted index found elsewhere is not looked at.
CREATE INDEX file_text_place ON file_text USING brin (file) WITH (pages_per_range = 32, autosummarize = on);

-- Folders whose name an older version did not fold: asked for with each change of a person's, and none as a rule.
CREATE INDEX dir_unfolded ON dir (id) WHERE folded IS NULL AND parent IS NOT NULL;
