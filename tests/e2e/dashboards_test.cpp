#include <fstream>

#include <stdlib.h>

#include "core/clock.hpp"
#include "core/digest.hpp"
#include "tests/e2e/e2e.hpp"
#include "tests/e2e/prometheus_server.hpp"
#include "tests/paths.hpp"

namespace skep::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSecret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

double now() {
  return std::chrono::duration<double>(SystemClock().now().time_since_epoch()).count();
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// Some value of it is a number.
bool has_data(const nlohmann::json& answer) {
  if (!answer.is_object()) return false;
  for (const auto& series : answer.at("result")) {
    for (const auto& sample : series.at("values")) {
      if (sample.at(1) != "NaN") return true;
    }
  }
  return false;
}

/// An agent, looked at by a real Prometheus, to which all that happens to an agent happens; it
/// hears of pushes by webhook alone.
class Dashboards : public EndToEnd {
 protected:
  void start() {
    std::ofstream(directory() / "secret") << kSecret << '\n';
    // Nobody listens there: what is to be told waits.
    std::ofstream(directory() / "notify.yaml")
        << "targets: [{ name: pager, type: webhook, url: 'http://127.0.0.1:9/hook' }]\n";
    AgentProcess::Options options;
    options.repo = repo->bare();
    options.interval = "1h";
    options.told_of_pushes = false;
    options.directory = directory() / "agent";
    options.environment = environment();
    options.more = {"--webhook-secret-file",
                    "generic=" + (directory() / "secret").string(),
                    "--notify-file",
                    (directory() / "notify.yaml").string()};
    agent = std::make_unique<AgentProcess>(std::move(options));
    ASSERT_TRUE(eventually([this] { return !address().empty(); })) << agent->log();
    began_ = now();
    prometheus = std::make_unique<PrometheusServer>(directory() / "prometheus", address());
  }

  std::string address() const {
    const auto log = agent->log();
    const auto at = log.find("listening address=127.0.0.1:");
    if (at == std::string::npos) return {};
    const auto begin = at + std::string("listening address=").size();
    return log.substr(begin, log.find_first_not_of("0123456789.:", begin) - begin);
  }

  /// Status of a generic webhook call.
  std::string call(const std::string& secret) const {
    const auto time = std::to_string(static_cast<std::int64_t>(now()));
    return lab::run({"curl",
                     "-s",
                     "-o",
                     "/dev/null",
                     "-w",
                     "%{http_code}",
                     "-H",
                     "X-Skep-Timestamp: " + time,
                     "-H",
                     "X-Skep-Signature: sha256=" + hmac_sha256_hex(secret, time + "."),
                     "-X",
                     "POST",
                     "http://" + address() + "/webhook/generic"})
        .out;
  }

  void asks(std::vector<std::string> words) const {
    words.insert(words.end(), {"--socket", agent->socket()});
    const auto said = skep(words);
    EXPECT_EQ(said.exit_code, 0) << said.err;
  }

  static std::string app(const std::string& image, const std::string& more) {
    return "services:\n  app: { image: " + image +
           ", stop_signal: SIGKILL, networks: [hostnet], deploy: { update_config: { monitor: 1s, "
           "failure_action: rollback }, restart_policy: { delay: 100ms } }" +
           more + " }\nnetworks: { hostnet: { external: true, name: host } }\n";
  }

  void live() {
    repo->write("skep.yaml", "defaults: { resolve_image: never, timeout: 10s }\n");
    repo->write("management/proxy/docker-compose.yml", app(kImage1, ""));
    repo->stack("shop", app(kImage1, ", configs: [page]") + "configs: { page: { file: page } }\n");
    repo->write("apps/shop/page", "one\n");
    for (const auto* name : {"blog", "news", "old"}) repo->stack(name, app(kImage1, ""));
    const auto first = repo->push("first");
    start();
    ASSERT_TRUE(agent->wait_for_commit(first));
    ASSERT_TRUE(eventually([this] { return prometheus->ready(); })) << prometheus->log();
    scraped();  // Only what rises afterwards is seen to rise.

    repo->write("apps/shop/page", "two\n");
    repo->stack("blog", app(kImage1, ", command: [sh, -c, 'exit 7']"));
    repo->write("management/proxy/docker-compose.yml", "services: { app: { imagge: x } }\n");
    repo->remove("apps/old");
    repo->push("second");
    EXPECT_EQ(call("wrong"), "401");
    EXPECT_EQ(call(kSecret), "202");
    ASSERT_TRUE(agent->wait_until("the second commit came to its ends", [](const auto& status) {
      const auto blog = stack_of(status, "blog");
      return is(stack_of(status, "shop"), "synced", "healthy") && blog.is_object() &&
             blog.at("quarantined") == true && blog.at("health") == "healthy" &&
             stack_of(status, "proxy").value("sync", "") == "unknown" &&
             stack_of(status, "old").is_null();
    }));

    docker({"service", "scale", "-d", "shop_app=3"});
    asks({"suspend", "news", "--reason", "a look"});
    ASSERT_TRUE(agent->wait_until("news is suspended", [](const auto& status) {
      return stack_of(status, "news").at("suspended") == true;
    }));
    docker({"service", "scale", "-d", "news_app=2"});
    docker({"service",
            "create",
            "-d",
            "-q",
            "--replicas",
            "0",
            "--label",
            "com.docker.stack.namespace=stray",
            "--name",
            "stray_app",
            kImage1});
    ASSERT_TRUE(eventually([this] {
      return agent->metric("skep_drift_corrected_total", R"(stack="apps/shop",result="success")") ==
                 1 &&
             agent->metric("skep_stack_drift_since_timestamp_seconds",
                           R"(stack="apps/news",cause="live")") > 0;
    })) << agent->metrics();

    asks({"rollback", "shop"});
    asks({"resume", "news"});
    ASSERT_TRUE(eventually([this] {
      return agent->metric("skep_rollbacks_total", R"(stack="apps/shop",initiator="user")") == 1 &&
             agent->metric("skep_drift_corrected_total", R"(stack="apps/news",result="success")") ==
                 1;
    })) << agent->metrics();
    scraped();
  }

  /// Until Prometheus has seen twice what is true now.
  void scraped() {
    const auto until = now() + 1;
    EXPECT_TRUE(eventually([&] {
      const auto answer = prometheus->query("timestamp(up{job=\"skep\"}) ");
      const auto& result = answer.at("result");
      return !result.empty() &&
             std::stod(result.at(0).at("value").at(1).get<std::string>()) > until;
    })) << prometheus->log();
    ended_ = now();
  }

  std::unique_ptr<PrometheusServer> prometheus;
  double began_ = 0, ended_ = 0;
};

// For docs/: the answers, as scripts/dashboard-pictures reads them.
void record(const nlohmann::json& board) {
  const char* directory = ::getenv("SKEP_RECORD_DASHBOARDS");
  if (directory == nullptr) return;
  std::filesystem::create_directories(directory);
  std::ofstream(std::filesystem::path(directory) / (board.at("uid").get<std::string>() + ".json"))
      << board.dump() << '\n';
}

TEST_F(Dashboards, ShowSomethingInEveryPanelAndTheNumbersAreWhatHappened) {
  if (!PrometheusServer::available())
    GTEST_SKIP() << "prometheus is not installed (Debian: package prometheus)";
  live();
  if (HasFatalFailure()) return;

  for (const auto* name : {"fleet", "stack", "agent"}) {
    auto board = nlohmann::json::parse(text_of(
        std::filesystem::path(SKEP_SOURCE_DIR "/deploy/grafana") / (std::string(name) + ".json")));
    const auto ask = [&](const std::string& expression, const std::string& stack = "apps/blog") {
      return prometheus->query_range(
          replaced(replaced(expression, "$job", "skep"), "$stack", stack), began_, ended_);
    };
    for (auto& panel : board.at("panels")) {
      bool shows = false;
      for (auto& target : panel.at("targets")) {
        target["answer"] = ask(target.at("expr"));
        // The one that fails differs for moments only, the one that is left alone for longer.
        if (!has_data(target["answer"])) target["answer"] = ask(target.at("expr"), "apps/news");
        shows = shows || has_data(target.at("answer"));
      }
      EXPECT_TRUE(shows) << name << ": the panel \"" << panel.at("title").get<std::string>()
                         << "\" is empty: " << panel.at("targets").at(0).at("expr");
    }
    for (auto& annotation : board.at("annotations").at("list")) {
      annotation["answer"] = ask(annotation.at("expr"));
      EXPECT_TRUE(has_data(annotation.at("answer"))) << name << ": " << annotation.at("name");
    }
    board["from"] = began_;
    board["to"] = ended_;
    record(board);
  }

  // What happened, counted by hand.
  const auto text = agent->metrics();
  std::ofstream(directory() / "metrics.txt") << text;
  const std::vector<std::pair<std::string, double>> happened = {
      {R"(skep_syncs_total{stack="apps/shop",trigger="git",result="success"})", 2},
      {R"(skep_syncs_total{stack="apps/shop",trigger="drift",result="success"})", 1},
      {R"(skep_syncs_total{stack="apps/shop",trigger="rollback",result="success"})", 1},
      {R"(skep_syncs_total{stack="apps/shop",trigger="git",result="failure"})", 0},
      {R"(skep_syncs_total{stack="apps/blog",trigger="git",result="success"})", 1},
      {R"(skep_syncs_total{stack="apps/blog",trigger="git",result="failure"})", 1},
      {R"(skep_sync_failures_total{stack="apps/blog",phase="health"})", 1},
      {R"(skep_sync_failures_total{stack="management/proxy",phase="render"})", 1},
      {R"(skep_stack_last_sync_success{stack="management/proxy"})", 0},
      {R"(skep_stack_sync_state{stack="management/proxy",state="unknown"})", 1},
      {R"(skep_drift_detected_total{stack="apps/shop",kind="service"})", 1},
      {R"(skep_drift_corrected_total{stack="apps/shop",result="success"})", 1},
      {R"(skep_drift_detected_total{stack="apps/news",kind="service"})", 1},
      {R"(skep_drift_detected_total{stack="apps/blog",kind="service"})", 0},
      {R"(skep_drift_correction_seconds_count)", 2},
      {R"(skep_rollbacks_total{stack="apps/shop",initiator="user"})", 1},
      {R"(skep_rollbacks_total{stack="apps/shop",initiator="swarm"})", 0},
      {R"(skep_rollbacks_total{stack="apps/blog",initiator="swarm"})", 1},
      {R"(skep_stack_quarantined{stack="apps/blog"})", 1},
      {R"(skep_stack_suspended{stack="apps/news"})", 0},
      {R"(skep_service_replicas{stack="apps/news",service="news_app",state="running"})", 1},
      // Of the second commit, and of the way back: nothing cited the first generation any more.
      {R"(skep_secrets_rotated_total{kind="config"})", 2},
      {R"(skep_orphaned_objects{kind="service"})", 1},
      {R"(skep_orphaned_objects{kind="config"})", 0},
      {R"(skep_commit_to_detect_seconds_count{source="webhook"})", 1},
      {R"(skep_commit_to_detect_seconds_count{source="poll"})", 0},
      {R"(skep_commit_to_healthy_seconds_count{group="apps"})", 1},
      {R"(skep_webhook_requests_total{provider="generic",result="bad_signature"})", 1},
      {R"(skep_webhook_requests_total{provider="generic",result="accepted"})", 1},
      {R"(skep_docker_event_stream_reconnects_total)", 0},
      {R"(skep_audit_write_errors_total)", 0},
      {R"(skep_state_store_errors_total)", 0},
      {R"(skep_panics_total)", 0},
      {R"(skep_leader)", 1},
      {R"(skep_docker_up)", 1},
  };
  for (const auto& [series, value] : happened) {
    const auto at = text.find("\n" + series + " ");
    if (at == std::string::npos) {
      ADD_FAILURE() << series << " is missing";
      continue;
    }
    EXPECT_EQ(std::stod(text.substr(at + series.size() + 2)), value) << series;
  }
  EXPECT_GE(agent->metric("skep_service_task_failures_total",
                          R"(stack="apps/blog",service="blog_app",reason="nonzero_exit")"),
            1);
  EXPECT_GT(agent->metric("skep_docker_events_total", R"(type="service")"), 0);
  EXPECT_THAT(text, Not(HasSubstr("apps/old"))) << "it left";
  EXPECT_THAT(text, HasSubstr("skep_docker_info{api_version=\""));
  const auto checked = lab::run({"promtool", "check", "metrics"}, {}, text);
  EXPECT_EQ(checked.out + checked.err, "");
}

}  // namespace
}  // namespace skep::e2e
