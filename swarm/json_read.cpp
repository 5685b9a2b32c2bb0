#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "swarm/json.hpp"
#include "swarm/json_slots.hpp"

namespace skep::swarm {
namespace {

using json::Slot;

constexpr std::size_t kDeepest = 100;  // Engine answers are at most 12 deep.

/// Collects one value that nobody knows as compact text, to be shown.
class Capture {
 public:
  void scalar(std::string_view text, bool meaningful) {
    separate();
    text_ += text;
    meaningful_ = meaningful_ || meaningful;
    if (!stack_.empty()) stack_.back() = true;
  }
  void open(char bracket) {
    separate();
    text_ += bracket;
    if (!stack_.empty()) stack_.back() = true;
    stack_.push_back(false);
  }
  void close(char bracket) {
    text_ += bracket;
    stack_.pop_back();
  }
  void key(std::string_view name) {
    separate();
    text_ += quote(name) + ":";
    after_key_ = true;
    stack_.back() = true;
  }
  [[nodiscard]] bool complete() const { return stack_.empty(); }
  [[nodiscard]] bool meaningful() const { return meaningful_; }
  [[nodiscard]] std::string take() { return std::exchange(text_, {}); }

  static std::string quote(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

 private:
  void separate() {
    if (!after_key_ && !stack_.empty() && stack_.back()) text_ += ',';
    after_key_ = false;
  }
  std::string text_;
  std::vector<bool> stack_;  ///< Per open bracket: something stands in it already.
  bool after_key_ = false;
  bool meaningful_ = false;
};

/// Drives typed slots from the parser's events. Members that have no slot are skipped, or kept as
/// text below a ServiceSpec.
class SaxReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit SaxReader(Slot root) : root_(root) {}

  [[nodiscard]] const std::string& fault() const { return fault_; }

  bool null() override {
    if (capture_) return captured_scalar("null", false);
    if (skipping_ == 0) (void)next();  // The place keeps its empty value.
    return true;
  }
  bool boolean(bool flag) override {
    if (capture_) return captured_scalar(flag ? "true" : "false", flag);
    return fill("boolean", [&](Slot slot) {
      return slot.type->set_bool != nullptr && slot.type->set_bool(slot.target, flag);
    });
  }
  bool number_integer(number_integer_t number) override {
    if (capture_) return captured_scalar(std::to_string(number), number != 0);
    return fill("number", [&](Slot slot) {
      return slot.type->set_signed != nullptr && slot.type->set_signed(slot.target, number);
    });
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (capture_) return captured_scalar(std::to_string(number), number != 0);
    return fill("number", [&](Slot slot) {
      return slot.type->set_unsigned != nullptr && slot.type->set_unsigned(slot.target, number);
    });
  }
  bool number_float(number_float_t number, const string_t& text) override {
    if (capture_) return captured_scalar(text, number != 0);
    return fill("number", [&](Slot slot) {
      return slot.type->set_double != nullptr && slot.type->set_double(slot.target, number);
    });
  }
  bool string(string_t& text) override {
    if (capture_) return captured_scalar(Capture::quote(text), !text.empty());
    return fill("string", [&](Slot slot) {
      return slot.type->set_string != nullptr && slot.type->set_string(slot.target, text);
    });
  }
  bool binary(binary_t& /*value*/) override { return fail("binary data"); }

  bool start_object(std::size_t /*size*/) override { return open('{'); }
  bool start_array(std::size_t /*size*/) override { return open('['); }
  bool end_object() override { return close('}'); }
  bool end_array() override { return close(']'); }

  bool key(string_t& name) override {
    if (capture_) {
      capture_->key(name);
      return true;
    }
    if (skipping_ > 0) return true;
    auto& frame = frames_[depth_ - 1];
    frame.key = name;
    frame.pending = frame.slot.type->member(frame.slot.target, name);
    if (frame.pending.type == nullptr && frame.unknown != nullptr && !is_retired(frame)) {
      pointer_ = pointer();
      capture_.emplace();
      target_ = frame.unknown;
    }
    return true;
  }

  bool parse_error(std::size_t position,
                   const std::string& /*last_token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    // The token is not repeated: it may be a part of a config's data.
    if (fault_.empty()) fault_ = "unexpected text at byte " + std::to_string(position);
    return false;
  }

 private:
  struct Frame {
    Slot slot;
    Slot pending;  ///< Of the member whose value comes next.
    std::string key;
    std::size_t index = 0;
    bool list = false;
    StringMap* unknown = nullptr;
    std::size_t spec_depth = 0;  ///< Frames outside the ServiceSpec.
  };

  /// The service's own list of networks: older than the task template's, always empty with ours.
  [[nodiscard]] bool is_retired(const Frame& frame) const {
    return frame.key == "Networks" && frame.spec_depth + 1 == depth_;
  }

  bool fail(const std::string& what) {
    fault_ = "unexpected " + what + " at " + pointer(0);
    return false;
  }

  /// Where the coming value goes; no type: nowhere.
  Slot next() {
    if (depth_ == 0) return std::exchange(root_, {});
    auto& frame = frames_[depth_ - 1];
    if (!frame.list) return std::exchange(frame.pending, {});
    ++frame.index;
    return frame.slot.type->element(frame.slot.target);
  }
  static Slot unwrapped(Slot slot) {
    while (slot.type != nullptr && slot.type->unwrap != nullptr)
      slot = slot.type->unwrap(slot.target);
    return slot;
  }

  template <typename Set>
  bool fill(const char* what, Set set) {
    if (skipping_ > 0) return true;
    const auto slot = unwrapped(next());
    if (slot.type == nullptr) return depth_ > 0 || fail(what);
    return set(slot) || fail(what);
  }

  bool captured_scalar(std::string_view text, bool meaningful) {
    capture_->scalar(text, meaningful);
    finish_capture();
    return true;
  }
  void finish_capture() {
    if (!capture_->complete()) return;
    if (capture_->meaningful()) target_->insert_or_assign(pointer_, capture_->take());
    capture_.reset();
  }

  bool open(char bracket) {
    if (++nesting_ > kDeepest) {
      fault_ = "nested too deeply";
      return false;
    }
    if (capture_) {
      capture_->open(bracket);
      return true;
    }
    if (skipping_ > 0) {
      ++skipping_;
      return true;
    }
    const bool list = bracket == '[';
    const auto slot = unwrapped(next());
    if (slot.type == nullptr && depth_ > 0) {
      ++skipping_;
      return true;
    }
    if (slot.type == nullptr ||
        (list ? slot.type->element == nullptr : slot.type->member == nullptr))
      return fail(list ? "list" : "object");
    StringMap* unknown = depth_ > 0 ? frames_[depth_ - 1].unknown : nullptr;
    std::size_t spec_depth = depth_ > 0 ? frames_[depth_ - 1].spec_depth : 0;
    if (slot.type->unknown != nullptr) {
      unknown = slot.type->unknown(slot.target);
      spec_depth = depth_;
    }
    if (frames_.size() == depth_) frames_.emplace_back();
    auto& frame = frames_[depth_++];
    frame.slot = slot;
    frame.pending = {};
    frame.key.clear();
    frame.index = 0;
    frame.list = list;
    frame.unknown = unknown;
    frame.spec_depth = spec_depth;
    return true;
  }
  bool close(char bracket) {
    --nesting_;
    if (capture_) {
      capture_->close(bracket);
      finish_capture();
    } else if (skipping_ > 0) {
      --skipping_;
    } else {
      --depth_;
    }
    return true;
  }

  [[nodiscard]] std::string pointer() const { return pointer(frames_[depth_ - 1].spec_depth); }
  /// RFC 6901, from the frame at `start` on.
  [[nodiscard]] std::string pointer(std::size_t start) const {
    std::string text;
    for (std::size_t i = start; i < depth_; ++i) {
      const auto& frame = frames_[i];
      text += '/';
      if (frame.list) {
        text += std::to_string(frame.index == 0 ? 0 : frame.index - 1);
        continue;
      }
      for (const char c : frame.key) {
        if (c == '~') {
          text += "~0";
        } else if (c == '/') {
          text += "~1";
        } else {
          text += c;
        }
      }
    }
    return text.empty() ? "the top" : text;
  }

  Slot root_;
  std::vector<Frame> frames_;  ///< Reused: `depth_` of them are open.
  std::size_t depth_ = 0;
  std::size_t nesting_ = 0;
  std::size_t skipping_ = 0;  ///< Open brackets of what is skipped.
  std::optional<Capture> capture_;
  std::string pointer_;
  StringMap* target_ = nullptr;
  std::string fault_;
};

template <typename T>
Result<void> read_into(T& value, std::string_view text) {
  SaxReader reader(json::slot_of(value));
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &reader))
    return Error{
        ErrorKind::unavailable, "the engine's answer is not valid JSON: " + reader.fault(), {}};
  return {};
}

// What the engine answers, as far as it is of use.

struct VersionWire {
  std::uint64_t index = 0;
  static void fields(auto& self, auto&& visit) { visit("Index", self.index); }
};
struct SecretCitation {
  std::string id;
  static void fields(auto& self, auto&& visit) { visit("SecretID", self.id); }
};
struct ConfigCitation {
  std::string id;
  static void fields(auto& self, auto&& visit) { visit("ConfigID", self.id); }
};
struct PreviousContainer {
  std::vector<SecretCitation> secrets;
  std::vector<ConfigCitation> configs;
  static void fields(auto& self, auto&& visit) {
    visit("Secrets", self.secrets);
    visit("Configs", self.configs);
  }
};
struct NetworkCitation {
  std::string id;
  static void fields(auto& self, auto&& visit) { visit("Target", self.id); }
};
struct PreviousTask {
  PreviousContainer container;
  std::vector<NetworkCitation> networks;
  static void fields(auto& self, auto&& visit) {
    visit("ContainerSpec", self.container);
    visit("Networks", self.networks);
  }
};
struct PreviousSpec {
  PreviousTask task_template;
  static void fields(auto& self, auto&& visit) { visit("TaskTemplate", self.task_template); }
};
struct UpdateStatusWire {
  UpdateStatus status;
  static void fields(auto& self, auto&& visit) {
    visit("State", self.status.state);
    visit("StartedAt", self.status.started_at);
    visit("CompletedAt", self.status.completed_at);
    visit("Message", self.status.message);
  }
};
struct CountsWire {
  std::uint64_t running = 0, desired = 0, completed = 0;
  static void fields(auto& self, auto&& visit) {
    visit("RunningTasks", self.running);
    visit("DesiredTasks", self.desired);
    visit("CompletedTasks", self.completed);
  }
};
struct ServiceWire {
  std::string id, created_at, updated_at;
  VersionWire version;
  ServiceSpec spec;
  std::optional<PreviousSpec> previous;
  UpdateStatusWire update;
  CountsWire counts;
  static void fields(auto& self, auto&& visit) {
    visit("ID", self.id);
    visit("Version", self.version);
    visit("CreatedAt", self.created_at);
    visit("UpdatedAt", self.updated_at);
    visit("Spec", self.spec);
    visit("PreviousSpec", self.previous);
    visit("UpdateStatus", self.update);
    visit("ServiceStatus", self.counts);
  }
};
LiveService convert(ServiceWire wire) {
  LiveService live;
  live.id = std::move(wire.id);
  live.version = wire.version.index;
  live.created_at = std::move(wire.created_at);
  live.updated_at = std::move(wire.updated_at);
  live.spec = std::move(wire.spec);
  if (wire.previous) {
    live.has_previous_spec = true;
    auto& ids = live.previous_references;
    for (auto& secret : wire.previous->task_template.container.secrets)
      ids.push_back(std::move(secret.id));
    for (auto& config : wire.previous->task_template.container.configs)
      ids.push_back(std::move(config.id));
    for (auto& network : wire.previous->task_template.networks)
      ids.push_back(std::move(network.id));
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  live.update = std::move(wire.update.status);
  live.running_tasks = wire.counts.running;
  live.desired_tasks = wire.counts.desired;
  live.completed_tasks = wire.counts.completed;
  return live;
}

struct PeerWire {
  std::string name;
  static void fields(auto& self, auto&& visit) { visit("Name", self.name); }
};

struct NetworkWire {
  LiveNetwork live;
  std::vector<PeerWire> peers;
  static void fields(auto& self, auto&& visit) {
    visit("Id", self.live.id);
    visit("Name", self.live.spec.name);
    visit("Driver", self.live.spec.driver);
    visit("Scope", self.live.scope);
    visit("Ingress", self.live.ingress);
    visit("Internal", self.live.spec.internal);
    visit("Attachable", self.live.spec.attachable);
    visit("IPAM", self.live.spec.ipam);
    visit("Options", self.live.spec.options);
    visit("Labels", self.live.spec.labels);
    visit("Peers", self.peers);
  }
};
LiveNetwork convert(NetworkWire wire) {
  // The list is the swarm's networks, and then what else the node knows; only the node tells peers.
  wire.live.leaving = wire.live.scope == "swarm" && !wire.peers.empty();
  return std::move(wire.live);
}

struct ObjectSpecWire {
  std::string name, data;
  StringMap labels;
  std::optional<Driver> driver, templating;
  static void fields(auto& self, auto&& visit) {
    visit("Name", self.name);
    visit("Labels", self.labels);
    visit("Data", self.data);
    visit("Driver", self.driver);
    visit("Templating", self.templating);
  }
};
template <typename Kind>
struct ObjectWire {
  std::string id;
  VersionWire version;
  ObjectSpecWire spec;
  static void fields(auto& self, auto&& visit) {
    visit("ID", self.id);
    visit("Version", self.version);
    visit("Spec", self.spec);
  }
};
LiveConfig convert(ObjectWire<LiveConfig> wire) {
  LiveConfig live;
  live.id = std::move(wire.id);
  live.version = wire.version.index;
  live.name = std::move(wire.spec.name);
  live.labels = std::move(wire.spec.labels);
  live.templating = std::move(wire.spec.templating);
  const auto data = from_base64(wire.spec.data);
  // What is not base64 equals no data that anybody could ask for.
  live.data_sha256 = data ? sha256_hex(*data) : "";
  live.data_size = data ? data->size() : 0;
  return live;
}
LiveSecret convert(ObjectWire<LiveSecret> wire) {
  LiveSecret live;
  live.id = std::move(wire.id);
  live.version = wire.version.index;
  live.name = std::move(wire.spec.name);
  live.labels = std::move(wire.spec.labels);
  live.driver = std::move(wire.spec.driver);
  live.templating = std::move(wire.spec.templating);
  return live;
}

struct NodeSpecWire {
  std::string name, role, availability;
  StringMap labels;
  static void fields(auto& self, auto&& visit) {
    visit("Name", self.name);
    visit("Role", self.role);
    visit("Availability", self.availability);
    visit("Labels", self.labels);
  }
};
struct NodeDescriptionWire {
  std::string hostname;
  static void fields(auto& self, auto&& visit) { visit("Hostname", self.hostname); }
};
struct NodeStatusWire {
  std::string state;
  static void fields(auto& self, auto&& visit) { visit("State", self.state); }
};
struct NodeWire {
  std::string id, updated_at;
  VersionWire version;
  NodeSpecWire spec;
  NodeDescriptionWire description;
  NodeStatusWire status;
  static void fields(auto& self, auto&& visit) {
    visit("ID", self.id);
    visit("Version", self.version);
    visit("UpdatedAt", self.updated_at);
    visit("Spec", self.spec);
    visit("Description", self.description);
    visit("Status", self.status);
  }
};
LiveNode convert(NodeWire wire) {
  LiveNode live;
  live.id = std::move(wire.id);
  live.version = wire.version.index;
  live.hostname = std::move(wire.description.hostname);
  live.role = std::move(wire.spec.role);
  live.availability = std::move(wire.spec.availability);
  live.name = std::move(wire.spec.name);
  live.labels = std::move(wire.spec.labels);
  live.state = std::move(wire.status.state);
  live.updated_at = std::move(wire.updated_at);
  return live;
}

struct TaskContainerWire {
  std::string image;
  std::vector<SecretCitation> secrets;
  std::vector<ConfigCitation> configs;
  static void fields(auto& self, auto&& visit) {
    visit("Image", self.image);
    visit("Secrets", self.secrets);
    visit("Configs", self.configs);
  }
};
struct TaskSpecWire {
  TaskContainerWire container;
  static void fields(auto& self, auto&& visit) { visit("ContainerSpec", self.container); }
};
struct ContainerStatusWire {
  std::int64_t exit_code = 0;
  static void fields(auto& self, auto&& visit) { visit("ExitCode", self.exit_code); }
};
struct TaskStatusWire {
  std::string timestamp, state, message, error;
  ContainerStatusWire container;
  static void fields(auto& self, auto&& visit) {
    visit("Timestamp", self.timestamp);
    visit("State", self.state);
    visit("Message", self.message);
    visit("Err", self.error);
    visit("ContainerStatus", self.container);
  }
};
struct TaskWire {
  std::string id, service_id, node_id, desired_state, created_at;
  std::uint64_t slot = 0;
  TaskSpecWire spec;
  TaskStatusWire status;
  static void fields(auto& self, auto&& visit) {
    visit("ID", self.id);
    visit("CreatedAt", self.created_at);
    visit("ServiceID", self.service_id);
    visit("NodeID", self.node_id);
    visit("Slot", self.slot);
    visit("Spec", self.spec);
    visit("DesiredState", self.desired_state);
    visit("Status", self.status);
  }
};
Task convert(TaskWire wire) {
  Task task;
  task.id = std::move(wire.id);
  task.service_id = std::move(wire.service_id);
  task.node_id = std::move(wire.node_id);
  task.slot = wire.slot;
  task.image = std::move(wire.spec.container.image);
  task.desired_state = std::move(wire.desired_state);
  task.state = std::move(wire.status.state);
  task.message = std::move(wire.status.message);
  task.error = std::move(wire.status.error);
  task.timestamp = std::move(wire.status.timestamp);
  task.created_at = std::move(wire.created_at);
  task.exit_code = wire.status.container.exit_code;
  for (auto& secret : wire.spec.container.secrets) task.references.push_back(std::move(secret.id));
  for (auto& config : wire.spec.container.configs) task.references.push_back(std::move(config.id));
  return task;
}

template <typename Wire, typename Live>
Result<std::vector<Live>> read_list(std::string_view text) {
  // "null" is no list: it may come from what stands in for an engine that does not answer, and
  // "nothing there" would be believed.
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '[') {
    return Error{ErrorKind::unavailable,
                 "the engine's answer is not valid JSON: unexpected text in the place of a list",
                 {}};
  }
  json::Converting<Wire, Live> list;
  if (auto read = read_into(list, text); !read) return std::move(read).error();
  list.flush();
  const bool nameless = std::any_of(
      list.done.begin(), list.done.end(), [](const Live& live) { return live.id.empty(); });
  if (nameless) {
    return Error{ErrorKind::unavailable,
                 "the engine's answer is not valid JSON: unexpected object without an ID",
                 {}};
  }
  return std::move(list.done);
}

}  // namespace

Result<ServiceSpec> read_service_spec(std::string_view json) {
  ServiceSpec spec;
  if (auto read = read_into(spec, json); !read) return std::move(read).error();
  return spec;
}
Result<std::vector<LiveService>> read_services(std::string_view json) {
  return read_list<ServiceWire, LiveService>(json);
}
Result<std::vector<LiveNetwork>> read_networks(std::string_view json) {
  return read_list<NetworkWire, LiveNetwork>(json);
}
Result<std::vector<LiveConfig>> read_configs(std::string_view json) {
  return read_list<ObjectWire<LiveConfig>, LiveConfig>(json);
}
Result<std::vector<LiveSecret>> read_secrets(std::string_view json) {
  return read_list<ObjectWire<LiveSecret>, LiveSecret>(json);
}
Result<std::vector<LiveNode>> read_nodes(std::string_view json) {
  return read_list<NodeWire, LiveNode>(json);
}
Result<std::vector<Task>> read_tasks(std::string_view json) {
  return read_list<TaskWire, Task>(json);
}

}  // namespace skep::swarm
