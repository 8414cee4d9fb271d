// Included before every other file of better-sqlite3. Node 24.19 and later let each wrapped object add and remove a clean-up
// hook by itself; removing one while garbage is collected outside JavaScript aborts the process (nodejs/node issue 65446).
// Earlier headers have no such calls, and better-sqlite3 closes what is open through a hook of its own, declared in node.h.
#include <node.h>
#define AddEnvironmentCleanupHook(...) ((void)0)
#define RemoveEnvironmentCleanupHook(...) ((void)0)
#include <node_object_wrap.h>
#undef AddEnvironmentCleanupHook
#undef RemoveEnvironmentCleanupHook
