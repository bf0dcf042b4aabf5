# Writes OUTPUT, a header that names the commit of SOURCE, where it has changed.
execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=*
                WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit ERROR_QUIET
                OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT commit)
  set(commit "unknown")
endif()
configure_file(${SOURCE}/validation/suite/commit.hpp.in ${OUTPUT} @ONLY)
