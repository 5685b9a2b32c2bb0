cmake_minimum_required(VERSION 3.25)
# Run at each build, so that `skep version` and the metrics tell the commit that was built. The header changes only when the
# commit does. Outside of a git clone it is empty.
execute_process(
  COMMAND git rev-parse --short=12 HEAD
  WORKING_DIRECTORY "${SOURCE}"
  OUTPUT_VARIABLE commit
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(CONFIGURE OUTPUT "${HEADER}" CONTENT "#pragma once\n\n#define SKEP_COMMIT \"@commit@\"\n" @ONLY)
