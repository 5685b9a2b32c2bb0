#pragma once

#include "cli/private_file.hpp"
#include "cli/session.hpp"

namespace skep::cli {

/// Opens the file in $SOPS_EDITOR, $VISUAL, $EDITOR or vi and waits until that is done. When the
/// process is asked to stop meanwhile, the editor is ended and the file is gone at once. Errors:
/// cancelled, invalid_input (no editor, it failed).
Result<void> run_editor(const Session& session, PrivateFile& file);

}  // namespace skep::cli
