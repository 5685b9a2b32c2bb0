#include <iostream>
#include <string_view>

#include "cli/commit.hpp"
#include "cli/session.hpp"

namespace skep::cli {

void add_version(Command& app, Session& session) {
  auto* verb = app.add_subcommand("version", "Show the version");
  verb->footer("Example:  skep version");
  verb->callback([&session] {
    session.verb = [] {
      std::cout << "skep " << SKEP_VERSION;
      if (const std::string_view commit = SKEP_COMMIT; !commit.empty())
        std::cout << ", commit " << commit;
      std::cout << "\n";
      return kSuccess;
    };
  });
}

}  // namespace skep::cli
