-- Each flush of the pending list rewrites the index entry of every word in the list, so a longer list makes inserts
-- cheaper. The search service flushes the list every 20 to 30 s, so a long list that searches must read exists only
-- while many posts are created.
ALTER INDEX documents_search SET (gin_pending_list_limit = 4096);
