#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/message.hpp"
#include "server/target.hpp"

namespace skep::server {

/// What a listener serves; each route belongs to one.
enum class RouteSet { metrics, health, api, webhook };
using RouteSets = std::set<RouteSet>;

/// Where a handler runs.
enum class Pace {
  at_once,      ///< On the thread that reads the sockets; whatever it takes, all others wait.
  may_wait,     ///< On one of a few threads beside it: for what asks the disk.
  asks_engine,  ///< On one of a few others: an engine that hangs holds up nothing else.
};

/// Which handler answers a method and a path. Filled before the server starts, then read only.
class Router {
 public:
  struct Route {
    RouteSet set = RouteSet::api;
    std::string method;   ///< "GET" answers HEAD too.
    std::string pattern;  ///< "/api/v1/stacks/{group}/{name}"
    Handler handler;
    Pace pace = Pace::at_once;
  };

  void add(RouteSet set,
           std::string method,
           std::string pattern,
           Handler handler,
           Pace pace = Pace::at_once);
  /// Of all routes, in the order in which they were added.
  [[nodiscard]] std::vector<const Route*> routes() const;

  struct Match {
    const Route* route = nullptr;  ///< Null where nothing matches.
    std::map<std::string, std::string, std::less<>> parameters;
    std::string allowed;  ///< The methods of that path, for 405; "" where the path is unknown.
  };
  [[nodiscard]] Match find(const RouteSets& sets,
                           std::string_view method,
                           const Target& target) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> parts;
  };
  std::vector<Entry> entries_;
};

}  // namespace skep::server
