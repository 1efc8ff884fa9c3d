#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Counts the results that `make check` left in a build folder: tally.sh FOLDER prints
# "PASSED FAILED SKIPPED". No results at all is one failure.
set -eu
find "$1/tests" -name '*.trs' -exec cat {} + 2>/dev/null | awk '
/^:test-result: (PASS|XFAIL)/ { passed++ }
/^:test-result: (FAIL|ERROR|XPASS)/ { failed++ }
/^:test-result: SKIP/ { skipped++ }
END { print passed + 0, failed + (passed + failed + skipped == 0), skipped + 0 }'
