-- By which the newest verdict of a fact document is found, so that retention knows when it was last used.

CREATE INDEX verdicts_by_document ON verdicts (tenant, document_digest, id);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('verdicts', 'verdicts_by_document', '10000000 10000000 3 1');
