#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Stacks made from templates, by the built program, from a work tree and from a remote.
class Templates : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    repo->write("templates/own/values.yaml", "image: " + kImage1 + "\nreplicas: 1\n");
    repo->write("templates/own/values.schema.json",
                R"({"properties": {"replicas": {"type": "integer", "maximum": 3}}})");
    repo->write(
        "templates/own/templates/app.yml",
        "services:\n  app:\n    image: {{ .Values.image }}\n    command: sleep 1000\n    "
        "stop_grace_period: 0s\n    environment: { STAGE: '{{ .Environment }}', DB_PASSWORD: "
        "'hunter2-{{ .Stack.Name }}' }\n    hostname: '{{ .Node.Hostname }}'\n    deploy: { "
        "replicas: {{ .Values.replicas }} }\n" +
            kHostNetwork);
    repo->write("apps/shop/skep.yaml", "template: own\n");
    repo->write("apps/shop/values.prod.yaml", "replicas: 2\n");
  }

  lab::CommandOutput here(std::vector<std::string> words) const {
    words.insert(words.end(), {"--repo", repo->tree()});
    return skep(std::move(words));
  }
};

TEST_F(Templates, AreDeployedByTheAgentForItsEnvironment) {
  repo->push();
  start_agent({"--environment", "prod"});
  ASSERT_TRUE(agent->wait_until("shop runs", [](const nlohmann::json& status) {
    return is(stack_of(status, "shop"), "synced", "healthy");
  }));
  EXPECT_EQ(tasks("shop_app").size(), 2U);
  const auto spec = objects("services").at("shop_app").at("Spec").at("TaskTemplate");
  EXPECT_EQ(spec.at("ContainerSpec").at("Hostname"), "{{ .Node.Hostname }}");
  const auto before = versions();
  const auto plan =
      skep({"plan", "--repo", repo->bare(), "--ref", "main", "--environment", "prod"});
  EXPECT_EQ(plan.exit_code, 0) << plan.out << plan.err;
  repo->write("templates/own/values.yaml", "image: " + kImage2 + "\nreplicas: 1\n");
  repo->push("the template's own default");
  ASSERT_TRUE(agent->wait_until("the new image runs", [&](const nlohmann::json&) {
    return running_images("shop_app") == std::vector<std::string>{kImage2, kImage2};
  }));
  EXPECT_NE(versions(), before);
  repo->write("templates/own/templates/app.yml", "services: {{ .Values.no.such }}\n");
  repo->push("a mistake");
  ASSERT_TRUE(agent->wait_until("the mistake is told", [](const nlohmann::json& status) {
    return stack_of(status, "shop").dump().find("templates/own/templates/app.yml:1:") !=
           std::string::npos;
  }));
  EXPECT_EQ(running_images("shop_app").size(), 2U) << "what runs stays";
}

TEST_F(Templates, RenderShowsAComposeFileThatTheDockerCliTakes) {
  const auto rendered = here({"render", "shop", "--set", "replicas=3"});
  ASSERT_EQ(rendered.exit_code, 0) << rendered.err;
  EXPECT_THAT(rendered.out, HasSubstr("# Stack shop, rendered by skep from apps/shop"));
  EXPECT_THAT(rendered.out,
              HasSubstr("  # from templates/own/templates/app.yml (rendered), line 2"));
  EXPECT_THAT(rendered.out, HasSubstr("replicas: 3"));
  EXPECT_THAT(rendered.out, HasSubstr("DB_PASSWORD: \"***\""));
  EXPECT_THAT(rendered.out, Not(HasSubstr("hunter2")));
  const auto taken = docker({"stack", "config", "-c", "-"}, rendered.out);
  EXPECT_THAT(taken, HasSubstr("{{ .Node.Hostname }}"));
  const auto shown = here({"render", "shop", "--show-secrets"});
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.err, HasSubstr("on a terminal only"));
}

TEST_F(Templates, SettingsAreTriedOnOneStackAndCheckedByTheSchema) {
  EXPECT_THAT(here({"validate", "--set", "replicas=4"}).out,
              HasSubstr("--set replicas: error: stack apps/shop: replicas must be at most 3"));
  EXPECT_THAT(here({"plan", "--set", "replicas=2"}).err, HasSubstr("name the stack"));
  const auto plan = here({"plan", "shop", "--set", "replicas=2"});
  EXPECT_EQ(plan.exit_code, 2) << plan.err;
  repo->write("note.txt", "of a file, with \\, {x} and b=c");
  repo->write(
      "templates/own/templates/note.yml",
      "{{ with .Values.note }}services: { app: { labels: { note: {{ quote . }} } } }{{ end }}");
  const auto noted = here({"render", "shop", "--set-file", "note=" + repo->tree() + "/note.txt"});
  EXPECT_THAT(noted.out, HasSubstr(R"(of a file, with \, {x} and b=c)")) << noted.err;
  repo->write("a,b.txt", "another");
  const auto two = here(
      {"render", "shop", "--set-file", "replicas=/no/such,note=" + repo->tree() + "/note.txt"});
  EXPECT_THAT(two.err, HasSubstr("/no/such")) << "a comma begins the next one, as Helm reads it";
  const auto comma =
      here({"render",
            "shop",
            "--set-file",
            "note=" + repo->tree() + R"(/note.txt,note=)" + repo->tree() + R"(/a\,b.txt)"});
  EXPECT_THAT(comma.out, HasSubstr("note: another")) << comma.err;
  EXPECT_THAT(here({"render", "shop", "--set-file", "note"}).err, HasSubstr("write KEY=PATH"));
  EXPECT_THAT(here({"render", "shop", "--set-file", "note=/no/such"}).err, HasSubstr("/no/such"));
  EXPECT_THAT(here({"validate", "--environment", "../x"}).err, HasSubstr("--environment must be"));
}

TEST_F(Templates, AMistakeOfATemplateNamesTheStack) {
  for (const std::string stack : {"apps/one", "apps/two"}) {
    repo->write(stack + "/skep.yaml", "template: web-app\n");
    repo->write(stack + "/values.yaml", "image: a:1\n");
  }
  const auto said = here({"validate"}).out;
  const auto json = nlohmann::json::parse(here({"validate", "-o", "json"}).out);
  for (const std::string stack : {"apps/one", "apps/two"}) {
    EXPECT_THAT(said, HasSubstr(": error: stack " + stack + ": fail \"proxy.hosts is empty"));
    const auto& all = json.at("findings");
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const nlohmann::json& finding) {
      return finding.at("stack") == stack;
    })) << all;
  }
}

TEST_F(Templates, NewVendorListAndShowDoWhatTheySay) {
  EXPECT_EQ(here({"template", "new", "apps/web", "--from", "web-app"}).exit_code, 0);
  EXPECT_THAT(here({"render", "web"}).err, HasSubstr("set it in apps/web/values.yaml"));
  EXPECT_EQ(here({"render", "web", "--set", "image=a:1,proxy.hosts={a.example.com}"}).exit_code, 0);
  EXPECT_EQ(here({"template", "vendor", "web-app"}).exit_code, 0);
  EXPECT_EQ(here({"template", "vendor", "web-app"}).exit_code, 1) << "nothing is written over";
  const auto rendered = here({"render", "web", "--set", "image=a:1,proxy.hosts={a.example.com}"});
  EXPECT_THAT(rendered.out, HasSubstr("from templates/web-app/templates/app.yml (rendered)"));
  EXPECT_EQ(here({"template", "new", "mine"}).exit_code, 0);
  EXPECT_EQ(here({"template", "new", "apps/mine", "--from", "mine"}).exit_code, 0);
  const auto mine = here({"render", "mine"});
  EXPECT_EQ(mine.exit_code, 0) << mine.err;
  const auto list = here({"template", "list"});
  EXPECT_THAT(list.out, testing::ContainsRegex("web-app +1\\.0\\.0 +templates/web-app"));
  EXPECT_THAT(list.out, testing::ContainsRegex("worker +1\\.0\\.0 +catalog"));
  EXPECT_THAT(here({"template", "show", "worker"}).out, HasSubstr("# The worker's image"));
  EXPECT_THAT(here({"template", "show", "workr"}).err, HasSubstr("did you mean worker?"));
  EXPECT_THAT(skep({"template"}).err, HasSubstr("template list"));
  for (const auto* name : {"../evil", "apps", "a/../../b", "", "apps/too/deep"}) {
    EXPECT_EQ(here({"template", "new", name, "--from", "worker"}).exit_code, 1) << name;
  }
}

TEST_F(Templates, AreReadFromTheRepositoryOfTheFlagWhateverAVariableSays) {
  auto variables = environment();
  variables["SKEP_REPO"] = (directory() / "other").string();
  std::filesystem::create_directories(variables["SKEP_REPO"]);
  const auto made = lab::run(
      {binary(), "template", "new", "apps/web", "--from", "worker", "--repo", repo->tree()},
      variables);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_TRUE(std::filesystem::exists(repo->tree() + "/apps/web/skep.yaml"));
  EXPECT_TRUE(std::filesystem::is_empty(variables["SKEP_REPO"]));
}

TEST_F(Templates, ReadNothingThroughLinks) {
  std::ofstream(directory() / "outside") << "outside the repository";
  repo->write("apps/shop/values.yaml", "image: '{{ x }}'\n");
  repo->link("apps/shop/link", (directory() / "outside").string());
  repo->link("apps/shop/dir", directory().string());
  for (const auto* path : {"link", "dir/outside", "../../../outside", "../shop/link"}) {
    repo->write("templates/own/templates/app.yml",
                "services: { app: { image: '{{ .Files.Get \"" + std::string(path) + "\" }}' } }\n");
    repo->push();
    for (const auto& from : {std::vector<std::string>{repo->tree()},
                             std::vector<std::string>{repo->bare(), "--ref", "main"}}) {
      std::vector<std::string> words = {"render", "shop", "--repo"};
      words.insert(words.end(), from.begin(), from.end());
      const auto rendered = skep(words);
      EXPECT_EQ(rendered.exit_code, 1) << path;
      EXPECT_THAT(rendered.out + rendered.err, Not(HasSubstr("outside the repository"))) << path;
    }
  }
}

}  // namespace
}  // namespace skep::e2e
