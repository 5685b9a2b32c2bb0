#pragma once

#include <utility>
#include <vector>

#include "cli/private_file.hpp"
#include "cli/session.hpp"

namespace skep::cli {

/// For as long as a plain text lies in a file: no signal of the terminal ends the process before
/// the file is removed. A terminal that goes away asks to stop, as SIGTERM does.
class TerminalSignals {
 public:
  TerminalSignals();
  ~TerminalSignals();
  TerminalSignals(const TerminalSignals&) = delete;
  TerminalSignals& operator=(const TerminalSignals&) = delete;

 private:
  std::vector<std::pair<int, void (*)(int)>> before_;
};

/// Opens the file in $SOPS_EDITOR, $VISUAL, $EDITOR or vi and waits until that is done. When the
/// process is asked to stop meanwhile, the editor is ended. Errors: cancelled, invalid_input (no
/// editor, it failed).
Result<void> run_editor(const Session& session, const PrivateFile& file);

/// Asks on the terminal whether to open the editor again. No where the process is asked to stop.
[[nodiscard]] bool wants_to_go_on(const Session& session);

}  // namespace skep::cli
