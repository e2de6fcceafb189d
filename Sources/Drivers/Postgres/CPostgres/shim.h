#pragma once
#include <libpq-fe.h>

// The identifiers of the fields of an error (libpq manual, PQresultErrorField) are macros. Swift does not import them,
// because their values are character literals.
static const int WARREN_PG_SQLSTATE = PG_DIAG_SQLSTATE;
static const int WARREN_PG_MESSAGE = PG_DIAG_MESSAGE_PRIMARY;
static const int WARREN_PG_DETAIL = PG_DIAG_MESSAGE_DETAIL;
static const int WARREN_PG_CONSTRAINT = PG_DIAG_CONSTRAINT_NAME;
static const int WARREN_PG_TABLE = PG_DIAG_TABLE_NAME;
static const int WARREN_PG_COLUMN = PG_DIAG_COLUMN_NAME;
