-- By which the newest verdict of a fact document is found, so that retention knows when it was last used.

CREATE INDEX verdicts_by_document ON verdicts (tenant, document_digest, id);
