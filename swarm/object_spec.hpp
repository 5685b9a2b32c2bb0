#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/secret.hpp"
#include "swarm/service_spec.hpp"

namespace skep::swarm {

struct IpamSubnet {
  std::string subnet;
  bool operator==(const IpamSubnet&) const = default;
  static void fields(auto& self, auto&& visit) { visit("Subnet", self.subnet); }
};

struct Ipam {
  std::string driver;
  std::vector<IpamSubnet> config;
  bool operator==(const Ipam&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Driver", self.driver, Presence::always);
    visit("Config", self.config, Presence::always);
  }
};

/// What a stack asks of a network it owns (rule C2.3); the engine can only create and remove one,
/// never change it.
struct NetworkSpec {
  std::string name;
  std::string driver = "overlay";
  std::optional<Ipam> ipam;
  bool internal = false, attachable = false;
  StringMap options;
  StringMap labels;
  bool operator==(const NetworkSpec&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Name", self.name, Presence::always);
    visit("Driver", self.driver, Presence::always);
    visit("IPAM", self.ipam, Presence::always);
    visit("Internal", self.internal, Presence::always);
    visit("Attachable", self.attachable, Presence::always);
    visit("Options", self.options, Presence::always);
    visit("Labels", self.labels, Presence::always);
  }
};

/// Rule C6.1. Only the labels can be changed once it exists; everything else makes a new object.
struct ConfigSpec {
  std::string name;
  StringMap labels;
  std::string data;  ///< Raw bytes.
  std::optional<Driver> templating;
  bool operator==(const ConfigSpec&) const = default;
};

/// As ConfigSpec, for what must stay in memory. With a driver the engine asks that driver for the
/// data.
struct SecretSpec {
  std::string name;
  StringMap labels;
  Secret data;
  std::optional<Driver> driver;
  std::optional<Driver> templating;
  bool operator==(const SecretSpec&) const = default;
};

}  // namespace skep::swarm
