#include <iostream>
#include <string>

#include "cli/commit.hpp"
#include "cli/session.hpp"

namespace skep::cli {
namespace {

std::string version_line() {
  const std::string commit = SKEP_COMMIT;
  return std::string("skep ") + SKEP_VERSION + (commit.empty() ? "" : ", commit " + commit);
}

}  // namespace

void add_version(Command& app, Session& session) {
  app.version_flag("-v,--version", version_line());
  auto* verb = app.add_subcommand("version", "Show the version");
  verb->footer("Example:  skep version");
  verb->callback([&session] {
    session.verb = [] {
      std::cout << version_line() << "\n";
      return kSuccess;
    };
  });
}

}  // namespace skep::cli
