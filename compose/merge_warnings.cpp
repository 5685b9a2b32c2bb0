#include "compose/merge_warnings.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "compose/ports.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

constexpr const char* kInLastFile =
    "; write them all in the last of the files that name the service, and none before";

std::string short_form(const Port& port) {
  return (port.published == 0 ? "" : std::to_string(port.published) + ':') +
         std::to_string(port.target) + '/' + (port.protocol.empty() ? "tcp" : port.protocol);
}

/// One service that two files have.
class Pair {
 public:
  Pair(const std::string& key, const Service& base, const Service& later, Findings& findings)
      : path_("services." + key), base_(base), later_(later), findings_(findings) {}

  void run() {
    ports();
    references(base_.secrets, later_.secrets, "secrets");
    references(base_.configs, later_.configs, "configs");
    healthcheck();
    switches();
    texts();
    numbers();
    environment();
    logging();
    networks();
  }

 private:
  void warn(const SourcePosition& at, const std::string& message) {
    findings_.push_back({Finding::Severity::warning,
                         path_ + message + ", as with docker stack deploy of several files",
                         at});
  }

  /// One port survives for each published number, and for all that publish none.
  void ports() {
    if (!base_.ports) return;
    struct Seen {
      const Port* port = nullptr;
      const Service* service = nullptr;
    };
    std::map<std::uint32_t, Seen> kept;
    const auto take = [&](const Service& service) {
      if (!service.ports) return;
      for (const auto& port : *service.ports) {
        auto& last = kept[port.published];
        const bool overridden = last.service != &service && port.published != 0 &&
                                last.port != nullptr && last.port->protocol == port.protocol;
        if (last.port != nullptr && !overridden && short_form(*last.port) != short_form(port)) {
          warn(last.service->position_of(
                   port_place(last.port->published, last.port->target, last.port->protocol)),
               ".ports: " + short_form(*last.port) + " is dropped for " + short_form(port) +
                   (port.published == 0
                        ? ": of ports without a published number one is kept"
                        : ": of one published number one port is kept, whatever its protocol") +
                   kInLastFile);
        }
        last = {&port, &service};
      }
    };
    take(base_);
    take(later_);
  }

  /// One use survives of each secret or config.
  void references(const std::optional<std::vector<FileReference>>& base,
                  const std::optional<std::vector<FileReference>>& later,
                  const std::string& section) {
    if (!base) return;
    std::map<std::string, const FileReference*> kept;
    const auto take = [&](const std::optional<std::vector<FileReference>>& list) {
      if (!list) return;
      for (const auto& reference : *list) {
        auto& last = kept[reference.source];
        if (last != nullptr && last->target != reference.target) {
          warn(last->at,
               '.' + section + ": this use of " + quoted(reference.source) +
                   " is dropped for a later one: of each one use is kept" + kInLastFile);
        }
        last = &reference;
      }
    };
    take(base);
    take(later);
  }

  void healthcheck() {
    if (!base_.healthcheck || !later_.healthcheck) return;
    if (base_.healthcheck->test.empty() || later_.healthcheck->test.empty()) return;
    const auto& words = later_.healthcheck->test;
    const bool off = words.size() == 1 && words.front() == "NONE";
    warn(later_.position_of("healthcheck.test"),
         std::string(
             ".healthcheck.test: its words are put behind those of the earlier file's test") +
             (off ? ", so that NONE switches nothing off; leave the test of the earlier file out"
                  : "; write test in one of the files only"));
  }

  /// False overrides no true.
  void keeps_true(const std::string& key, bool base, bool later) {
    if (!base || later || !later_.key_at.contains(key)) return;
    warn(later_.position_of(key),
         '.' + key + ": false does not override the true of an earlier file; leave it out there");
  }

  void switches() {
    keeps_true("tty", base_.tty, later_.tty);
    keeps_true("stdin_open", base_.stdin_open, later_.stdin_open);
    keeps_true("read_only", base_.read_only, later_.read_only);
    keeps_true("init", base_.init.value_or(false), later_.init.value_or(false));
    if (base_.healthcheck && later_.healthcheck)
      keeps_true("healthcheck.disable", base_.healthcheck->disable, later_.healthcheck->disable);
  }

  /// Nothing empty overrides what an earlier file has.
  template <typename T>
  void keeps_value(const std::string& key, const T& base, const T& later) {
    if (base == T{} || later != T{} || !later_.key_at.contains(key)) return;
    warn(later_.position_of(key),
         '.' + key +
             ": an empty value or 0 does not override that of an earlier file; leave it "
             "out there");
  }

  void texts() {
    keeps_value("image", base_.image, later_.image);
    keeps_value("hostname", base_.hostname, later_.hostname);
    keeps_value("user", base_.user, later_.user);
    keeps_value("working_dir", base_.working_dir, later_.working_dir);
    keeps_value("stop_signal", base_.stop_signal, later_.stop_signal);
    keeps_value("entrypoint", base_.entrypoint, later_.entrypoint);
    keeps_value("command", base_.command, later_.command);
  }

  void numbers() {
    using Update = std::optional<UpdateConfig>;
    for (const auto& [name, base, later] :
         {std::tuple<std::string, const Update&, const Update&>{
              "update_config", base_.deploy.update_config, later_.deploy.update_config},
          {"rollback_config", base_.deploy.rollback_config, later_.deploy.rollback_config}}) {
      if (!base || !later) continue;
      const auto place = "deploy." + name;
      keeps_value(place + ".delay", base->delay, later->delay);
      keeps_value(place + ".monitor", base->monitor, later->monitor);
      keeps_value(place + ".max_failure_ratio", base->max_failure_ratio, later->max_failure_ratio);
    }
    using Bounds = std::optional<ResourceBounds>;
    for (const auto& [name, base, later] :
         {std::tuple<std::string, const Bounds&, const Bounds&>{
              "limits", base_.deploy.limits, later_.deploy.limits},
          {"reservations", base_.deploy.reservations, later_.deploy.reservations}}) {
      if (!base || !later) continue;
      const auto place = "deploy.resources." + name;
      keeps_value(place + ".cpus", base->cpus, later->cpus);
      keeps_value(place + ".memory", base->memory, later->memory);
      keeps_value(place + ".pids", base->pids, later->pids);
    }
    keeps_value("deploy.placement.max_replicas_per_node",
                base_.deploy.max_replicas_per_node,
                later_.deploy.max_replicas_per_node);
    const auto zero = [&](const std::string& key, const auto& base, const auto& later) {
      keeps_value(key, base.value_or(Nanoseconds::zero()), later.value_or(Nanoseconds::zero()));
    };
    zero("stop_grace_period", base_.stop_grace_period, later_.stop_grace_period);
    if (const auto& base = base_.deploy.restart_policy, &later = later_.deploy.restart_policy;
        base && later) {
      zero("deploy.restart_policy.delay", base->delay, later->delay);
      zero("deploy.restart_policy.window", base->window, later->window);
    }
    if (base_.healthcheck && later_.healthcheck) {
      const auto &base = *base_.healthcheck, &later = *later_.healthcheck;
      zero("healthcheck.interval", base.interval, later.interval);
      zero("healthcheck.timeout", base.timeout, later.timeout);
      zero("healthcheck.start_period", base.start_period, later.start_period);
    }
  }

  void environment() {
    for (const auto& [name, value] : later_.environment) {
      const auto mine = base_.environment.find(name);
      if (!value.value_or("").empty() || mine == base_.environment.end() ||
          mine->second.value_or("").empty())
        continue;
      warn(later_.position_of("environment." + name),
           ".environment: " + quoted(name) +
               " without a value does not override that of an earlier file; leave it out there");
    }
  }

  void logging() {
    const auto& base = base_.logging;
    const auto& later = later_.logging;
    if (!base || !later || base->options || !later->options || later->options->empty()) return;
    const bool compatible =
        base->driver == later->driver || base->driver.empty() || later->driver.empty();
    if (!compatible) return;
    warn(later_.position_of("logging"),
         ".logging: the options are dropped, for an earlier file has logging without options; "
         "write them there");
  }

  void networks() {
    for (const auto& [name, use] : later_.networks) {
      const auto mine = base_.networks.find(name);
      if (!use.options || mine == base_.networks.end() || !mine->second.options) continue;
      if (use.options->aliases.empty() && !mine->second.options->aliases.empty()) {
        warn(use.at,
             ".networks." + name +
                 ": the aliases of an earlier file are dropped; write them here, too");
      }
      if (!use.options->driver_opts.empty() &&
          use.options->driver_opts != mine->second.options->driver_opts) {
        warn(use.at,
             ".networks." + name + ": the driver_opts are dropped; write them in the earlier file");
      }
    }
  }

  std::string path_;
  const Service& base_;
  const Service& later_;
  Findings& findings_;
};

}  // namespace

void warn_of_merge(const ComposeFile& base, const ComposeFile& later, Findings& findings) {
  for (const auto& [key, service] : later.services) {
    if (const auto mine = base.services.find(key); mine != base.services.end())
      Pair(key, mine->second, service, findings).run();
  }
}

}  // namespace skep::compose
