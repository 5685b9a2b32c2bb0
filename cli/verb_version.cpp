#include "cli/session.hpp"

namespace skep::cli {

void add_version(Command& app, Session& session) {
  auto* verb = app.add_subcommand("version", "Show the version");
  verb->footer("Example:  skep version");
  verb->callback([&session] {
    session.verb = [] {
      std::cout << "skep " << SKEP_VERSION << "\n";
      return kSuccess;
    };
  });
}

}  // namespace skep::cli
