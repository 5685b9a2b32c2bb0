// The description of the API that is served, against what is really answered.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "helm-like-templates/package/schema.hpp"
#include "tests/server/http_fixture.hpp"
#include "yaml/parse.hpp"

namespace skep::server::testing {
namespace {

using Json = nlohmann::json;

/// One of everything.
class FullHistory final : public ports::History {
 public:
  [[nodiscard]] Result<std::vector<ports::OperationRecord>> operations(
      const ports::HistoryQuery& /*query*/) const override {
    ports::OperationRecord record;
    record.id = 1'700'000'000'123'000;
    record.report.stack = "apps/web";
    record.report.trigger = "git";
    record.report.result = "failure";
    record.report.started = WallTime(std::chrono::milliseconds(1'700'000'000'123));
    record.report.objects = {
        {diff::ObjectKind::service, diff::Verb::replace, "web_app", {"image"}, "refused"}};
    return std::vector{record, record};
  }
  [[nodiscard]] Result<std::vector<ports::EventRecord>> events(
      const ports::HistoryQuery& /*query*/) const override {
    ports::EventRecord event;
    event.id = 7;
    event.kind = "health";
    return std::vector{event};
  }
  [[nodiscard]] std::string trouble() const override { return "the disk is full"; }
};

/// In answers there is nothing that the description does not name: readers may skip what they do
/// not know, but a new field must be written down.
void close_objects(Json& schema) {
  if (schema.is_object()) {
    if (schema.contains("properties") && !schema.contains("additionalProperties"))
      schema["additionalProperties"] = false;
    for (auto& [key, value] : schema.items()) close_objects(value);
  } else if (schema.is_array()) {
    for (auto& value : schema) close_objects(value);
  }
}

class OpenApi : public ::testing::Test {
 protected:
  void SetUp() override {
    auto& web = control_.current.stacks[1];
    auto& plan = web.plan.emplace();
    plan.stack = *swarm::StackName::parse("web");
    auto& action = plan.actions.emplace_back();
    action.verb = diff::Verb::update;
    action.name = "web_app";
    action.key = "app";
    action.reason = "because";
    auto& change = action.changes.emplace_back();
    change.path = "environment";
    change.item = "PASSWORD";
    change.before = "old";
    change.after = "new";
    change.secret = true;
    plan.notes.push_back({.severity = diff::Note::Severity::warning,
                          .text = "careful",
                          .at = SourcePosition{"apps/web/docker-compose.yml", 3, 5}});
    plan.untouched = {"db"};
    web.drift_cause = ports::DriftCause::live;
    web.drift_since = web.last_success = WallTime(std::chrono::seconds(1'700'000'000));
    auto& service = web.services.emplace_back();
    service.name = "web_app";
    service.image = "app:1";
    web.declared[diff::ObjectKind::service] = 1;
    control_.current.observed_at = WallTime(std::chrono::seconds(1'700'000'000));
    control_.current.observed_age = std::chrono::milliseconds(5);
    add_routes(
        router_,
        control_,
        {.tokens = *Tokens::parse({"viewer:" + sha256_hex("looker")}),
         .metrics = [] { return std::string("# nothing\n"); },
         .history = &history_,
         .log_level = [] { return std::string("info"); },
         .set_log_level = [](const std::string&, const std::string&) { return Result<void>(); }});
    auto server =
        Server::start(router_,
                      {.listeners = {{"127.0.0.1:0", kAllRoutes},
                                     {"unix:" + (directory_.path() / "s").string(), kAllRoutes}}});
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    tcp_ = server_->addresses()[0];
    socket_ = server_->addresses()[1];
    const auto reply = fetch(tcp_, "GET", "/api/v1/openapi.json");
    ASSERT_EQ(reply.status, 200);
    document_ = Json::parse(reply.body);
  }

  /// The description of what `method` of `pattern` answers with `status`; null where there is none.
  [[nodiscard]] Json response_of(const std::string& method,
                                 const std::string& pattern,
                                 int status) const {
    const auto& responses = document_.at("paths").at(pattern).at(lower(method)).at("responses");
    auto found = responses.value(std::to_string(status), Json());
    if (found.contains("$ref")) {
      const auto name = found["$ref"].get<std::string>();
      found = document_.at(Json::json_pointer(name.substr(1)));
    }
    return found;
  }
  static std::string lower(std::string text) {
    for (auto& c : text) c = static_cast<char>(std::tolower(c));
    return text;
  }

  /// Sends a request and holds the answer against the description of `pattern`.
  Reply expect_described(const std::string& address,
                         const std::string& method,
                         const std::string& pattern,
                         const std::string& target,
                         int status,
                         std::vector<std::string> headers = {}) {
    seen_.insert(method + " " + pattern);
    if (method == "POST") headers.emplace_back("Content-Length: 0");
    auto reply = fetch(address, method, target, headers);
    EXPECT_EQ(reply.status, status) << method << " " << target << ": " << reply.body;
    const auto described = response_of(method, pattern, reply.status);
    EXPECT_TRUE(described.is_object())
        << method << " " << pattern << " does not list " << reply.status;
    if (!described.is_object()) return reply;
    EXPECT_THAT(violations(described, reply.body), "") << method << " " << target << reply.body;
    return reply;
  }
  [[nodiscard]] std::string violations(const Json& described, const std::string& body) const {
    Json schema = described.at("content").at("application/json").at("schema");
    schema["components"] = document_.at("components");
    close_objects(schema["components"]);
    const auto parsed = yaml::parse(schema.dump(), "openapi.json");
    const auto value = yaml::parse(body, "answer.json");
    if (!parsed) return parsed.error().message;
    if (!value) return value.error().message;
    const auto findings = package::check(*parsed, *value);
    return findings.empty() ? "" : to_string(findings);
  }

  FakeControl control_;
  FullHistory history_;
  TemporaryDirectory directory_;
  Router router_;
  std::unique_ptr<Server> server_;
  std::string tcp_, socket_;
  Json document_;
  std::set<std::string> seen_;
};

TEST_F(OpenApi, ListsEveryRouteAndNoOther) {
  std::set<std::string> routes, described;
  for (const auto* route : router_.routes()) {
    if (route->set == RouteSet::api) routes.insert(route->method + " " + route->pattern);
  }
  for (const auto& [path, methods] : document_.at("paths").items()) {
    for (const auto& [method, operation] : methods.items())
      described.insert((method == "get" ? "GET " : "POST ") + path);
  }
  EXPECT_EQ(routes, described);
}

TEST_F(OpenApi, EveryAnswerIsAsDescribed) {
  const std::string stack = "/api/v1/stacks/{group}/{name}";
  const std::string web = "/api/v1/stacks/apps/web", none = "/api/v1/stacks/apps/none";
  const auto get = [&](const std::string& pattern, const std::string& target, int status) {
    return expect_described(tcp_, "GET", pattern, target, status);
  };
  get("/api/v1/openapi.json", "/api/v1/openapi.json", 200);
  get("/api/v1/status", "/api/v1/status", 200);
  get("/api/v1/stacks", "/api/v1/stacks", 200);
  const auto details = get(stack, web, 200);
  EXPECT_EQ(Json::parse(details.body).at("tasks").at(0).at("error"), "task: non-zero exit (1)");
  EXPECT_EQ(Json::parse(details.body).at("operations").size(), 2U);
  EXPECT_EQ(Json::parse(details.body).at("conditions").at(0).at("name"), "suspension");
  get(stack, "/api/v1/stacks/management/proxy", 200);
  get(stack, none, 404);
  get(stack + "/explain", web + "/explain", 200);
  get(stack + "/explain", none + "/explain", 404);
  get(stack + "/tasks", web + "/tasks", 200);
  get(stack + "/tasks", none + "/tasks", 404);
  control_.engine_trouble = "the engine does not answer";
  get(stack + "/tasks", web + "/tasks", 503);
  EXPECT_TRUE(Json::parse(get(stack, web, 200).body).at("tasks").is_null());
  get("/api/v1/services/{name}/trace", "/api/v1/services/web_app/trace", 200);
  get("/api/v1/services/{name}/trace", "/api/v1/services/none/trace", 404);
  get("/api/v1/history", "/api/v1/history?n=5", 200);
  get("/api/v1/history", "/api/v1/history?n=0", 400);
  get("/api/v1/events", "/api/v1/events", 200);
  get("/api/v1/events", "/api/v1/events?after=x", 400);
  get("/api/v1/events/stream", "/api/v1/events/stream?after=x", 400);
  get("/api/v1/log-level", "/api/v1/log-level", 200);
  for (const auto& [pattern, methods] : document_.at("paths").items()) {
    if (!methods.contains("post")) continue;
    auto target = pattern;
    if (const auto at = target.find("{group}/{name}"); at != std::string::npos)
      target.replace(at, 14, "apps/web");
    if (target.ends_with("log-level")) target += "?level=debug";
    expect_described(socket_, "POST", pattern, target, 202);
    expect_described(tcp_, "POST", pattern, target, 401);
    expect_described(tcp_, "POST", pattern, target, 403, {"Authorization: Bearer looker"});
    if (pattern.find("{name}") == std::string::npos) continue;
    target.replace(target.find("web"), 3, "none");
    expect_described(socket_, "POST", pattern, target, 404);
  }
  const auto post = [&](const std::string& what, const std::string& query, int status) {
    expect_described(socket_, "POST", stack + "/" + what, web + "/" + what + query, status);
  };
  expect_described(
      socket_, "POST", stack + "/approve", "/api/v1/stacks/management/proxy/approve", 409);
  post("rollback", "?revision=unknown", 409);
  post("suspend", "?for=0", 400);
  post("suspend", "?fro=7200", 400);
  expect_described(socket_, "POST", "/api/v1/log-level", "/api/v1/log-level?level=loud", 400);
  std::set<std::string> all;
  for (const auto* route : router_.routes()) {
    if (route->set == RouteSet::api) all.insert(route->method + " " + route->pattern);
  }
  EXPECT_EQ(seen_, all) << "every route is tried";
}

TEST_F(OpenApi, TheCheckSeesWhatIsNotDescribed) {
  const auto described = response_of("GET", "/api/v1/log-level", 200);
  EXPECT_EQ(violations(described, R"({"level":"info"})"), "");
  EXPECT_NE(violations(described, R"({"level":"loud"})"), "");
  EXPECT_NE(violations(described, R"({"level":"info","more":1})"), "");
  EXPECT_NE(violations(described, "{}"), "");
}

// Attack 19: nothing in any schema could carry a credential, and plans hide theirs.
TEST_F(OpenApi, NoAnswerHasAFieldForACredential_Attack19) {
  std::set<std::string> names;
  const std::function<void(const Json&)> walk = [&](const Json& schema) {
    if (schema.is_object()) {
      if (schema.contains("properties")) {
        for (const auto& [name, value] : schema["properties"].items()) names.insert(lower(name));
      }
      for (const auto& [key, value] : schema.items()) walk(value);
    } else if (schema.is_array()) {
      for (const auto& value : schema) walk(value);
    }
  };
  walk(document_.at("components").at("schemas"));
  EXPECT_GT(names.size(), 50U);
  for (const auto& name : names) {
    for (const auto* word : {"password", "token", "credential", "key_file", "username", "data"})
      EXPECT_EQ(name.find(word), std::string::npos) << name;
  }
}

TEST_F(OpenApi, ASecretsValueIsInNoAnswer_Attack18) {
  for (const auto* target : {"/api/v1/status", "/api/v1/stacks", "/api/v1/stacks/apps/web"}) {
    const auto body = fetch(socket_, "GET", target).body;
    EXPECT_EQ(body.find("\"old\""), std::string::npos) << target;
    EXPECT_EQ(body.find("\"new\""), std::string::npos) << target;
    EXPECT_NE(body.find("\"***\""), std::string::npos) << target;
  }
}

}  // namespace
}  // namespace skep::server::testing
