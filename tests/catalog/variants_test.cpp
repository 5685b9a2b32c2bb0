#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/catalog/shipped.hpp"
#include "yaml/parse.hpp"

namespace skep::catalog {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct Variant {
  std::string name;
  std::string shipped;
  std::string values;
  std::vector<std::string> has;
  std::vector<std::string> lacks = {};
};

class VariantTest : public testing::TestWithParam<Variant> {};

TEST_P(VariantTest, RendersToAGoodComposeFile) {
  const auto& row = GetParam();
  const auto output = rendered(*find(row.shipped), row.values);
  ASSERT_THAT(output.findings, IsEmpty()) << to_string(output.findings);
  const auto& text = output.documents.at(0).text;
  EXPECT_THAT(mistakes_in(text), IsEmpty()) << text;
  for (const auto& part : row.has) EXPECT_THAT(text, HasSubstr(part));
  for (const auto& part : row.lacks) EXPECT_THAT(text, testing::Not(HasSubstr(part)));
}

const std::string kWeb = "image: a:1\nproxy: {hosts: [a.example.com, b.example.com]";

INSTANTIATE_TEST_SUITE_P(
    Values,
    VariantTest,
    testing::Values(
        Variant{"proxy_v3",
                "web-app",
                kWeb + "}\n",
                {"traefik.http.routers.my-stack-1.rule\": \"Host(`a.example.com`) || "
                 "Host(`b.example.com`)\"",
                 R"(traefik.swarm.network": "imixs-proxy-net")",
                 R"(server.port": "8080")"}},
        Variant{"proxy_v2",
                "web-app",
                kWeb + ", traefik: 2, path: /x, entrypoints: [web, websecure], tls: true, "
                       "certResolver: le}\n",
                {R"(traefik.docker.network": "imixs-proxy-net")",
                 "&& PathPrefix(`/x`)",
                 R"(entrypoints": "web,websecure")",
                 R"(tls.certresolver": "le")"},
                {"traefik.swarm"}},
        Variant{"proxy_v1",
                "web-app",
                kWeb + ", traefik: 1, path: /x}\n",
                {R"(traefik.frontend.rule": "Host:a.example.com,b.example.com;PathPrefix:/x")",
                 R"(traefik.port": "8080")"},
                {"traefik.http"}},
        Variant{"no_proxy",
                "web-app",
                "image: a:1\nreplicas: 0\nproxy: {enabled: false}\nports: [{published: 80, target: "
                "8080, mode: host}]\n",
                {"replicas: 0", "published"},
                {"traefik", "imixs"}},
        Variant{"everything_of_a_service",
                "web-app",
                kWeb + R"(}
command: [run, "--flag=a b"]
entrypoint: /entry
user: 1000
env: {A: 1, B: true, C: "x: y", D: 'q"uote'}
secrets: {s: {file: ./s.txt, target: /s, mode: 256}, t: {external: other}}
configs: {c: {file: ./c.txt, target: /etc/c}}
volumes: {v: {target: /v, readOnly: true}, w: {target: /w, external: old}}
mounts: [/srv/a:/a:ro]
networks: [n1]
labels: {com.example.x: 1}
constraints: [node.role == worker]
resources: {limits: {cpus: 0.5, memory: 64M}, reservations: {memory: 32M}}
healthcheck: {test: curl -f localhost, interval: 5s}
update: {order: stop-first}
)",
                {R"("A": "1")",
                 R"("B": "true")",
                 R"("D": "q\"uote")",
                 "cpus: \"0.5\"",
                 "test: \"curl -f localhost\""}},
        Variant{"worker_without_anything",
                "worker",
                "image: a:1\n",
                {"replicas: 1"},
                {"environment", "secrets"}},
        Variant{
            "database_from_a_file",
            "web-app-postgres",
            kWeb + "}\npostgres: {password: {file: ./pw}}\ndatabaseEnv: {host: PGHOST, name: ''}\n",
            {R"("PGHOST": "db")", "file: \"./pw\""},
            {"DB_NAME", "DB_HOST", "backup"}},
        Variant{"root_and_a_mode_of_nobody",
                "worker",
                "image: a:1\nuser: 0\nsecrets: {s: {external: e, mode: 0}}\n"
                "configs: {c: {external: e, target: /c, mode: 0}}\n",
                {"user: \"0\"\n",
                 "target: \"s\"\n        mode: 0\n",
                 "target: \"/c\"\n        mode: 0\n"}},
        Variant{"root_beside_a_database",
                "web-app-postgres",
                kWeb + "}\nuser: 0\npostgres: {password: {external: p}}\n",
                {"user: \"0\"\n"}},
        Variant{"no_user",
                "worker",
                "image: a:1\nuser:\nsecrets: {s: {external: e}}\n",
                {"source: \"s\""},
                {"user:", "mode:"}},
        Variant{"traefik_tagged_v2",
                "traefik",
                "image: traefik:v2\n",
                {"swarmMode=true"},
                {"providers.swarm="}},
        Variant{"traefik_tagged_2",
                "traefik",
                "image: traefik:2\n",
                {"swarmMode=true"},
                {"providers.swarm="}},
        Variant{"traefik_tagged_a_variant_of_2",
                "traefik",
                "image: traefik:v2-windowsservercore\n",
                {"swarmMode=true"},
                {"providers.swarm="}},
        Variant{
            "traefik_tagged_v2_with_a_digest",
            "traefik",
            "image: "
            "traefik:v2@sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
            {"swarmMode=true"},
            {"providers.swarm="}},
        Variant{"traefik_of_a_later_version",
                "traefik",
                "image: registry.example.com:2000/traefik:v20.2\n",
                {"providers.swarm=true"},
                {"swarmMode"}},
        Variant{"hosts_of_a_variable",
                "web-app",
                "image: a:1\nproxy: {hosts: ['shop.${DOMAIN:-example.com}']}\n",
                {"Host(`shop.${DOMAIN:-example.com}`)"}},
        Variant{"every_name_below_a_host_v3",
                "web-app",
                "image: a:1\nproxy: {hosts: [c.d, '*.c.d']}\n",
                {R"x("Host(`c.d`) || HostRegexp(`^[^.]+\\.c\\.d$$`)")x"}},
        Variant{"every_name_below_a_host_v2",
                "web-app",
                "image: a:1\nproxy: {traefik: 2, hosts: [c.d, '*.c.d'], path: /x}\n",
                {"\"(Host(`c.d`) || HostRegexp(`{subdomain:[^.]+}.c.d`)) && PathPrefix(`/x`)\""}},
        Variant{"every_name_below_a_host_v1",
                "web-app",
                "image: a:1\nproxy: {traefik: 1, hosts: [c.d, '*.c.d']}\n",
                {R"("HostRegexp:c.d,{subdomain:[^.]+}.c.d")"}},
        Variant{"times_for_the_test_of_the_image",
                "worker",
                "image: a:1\nhealthcheck: {interval: 5s, retries: 9}\n",
                {"healthcheck:\n      interval: 5s\n      retries: 9\n"},
                {"test:", "timeout", "start_period"}},
        Variant{"a_test_of_ones_own",
                "worker",
                "image: a:1\nhealthcheck: {test: [CMD, /t], retries: 9}\n",
                {"interval: 15s\n      timeout: 5s\n      retries: 9\n      start_period: 20s\n"}},
        Variant{"the_test_of_the_image", "web-app", kWeb + "}\n", {"replicas: 2"}, {"healthcheck"}},
        Variant{"a_label_of_ones_own_wins",
                "web-app",
                kWeb + "}\nlabels: {traefik.enable: false, traefik.http.routers.my-stack-1.rule: "
                       "Path(`/`)}\n",
                {"\"traefik.enable\": \"false\"\n", "rule\": \"Path(`/`)\"\n"},
                {"a.example.com"}},
        Variant{
            "a_variable_of_ones_own_wins",
            "web-app-postgres",
            kWeb + "}\npostgres: {password: {file: ./pw}}\nenv: {DB_HOST: '', DB_USER: me}\n"
                   "secrets: {db_password: {target: pw, mode: 256}}\n",
            {R"("DB_HOST": "")", R"("DB_USER": "me")", R"("DB_NAME": "app")", R"(target: "pw")"}},
        Variant{
            "sizes_as_docker_takes_them",
            "worker",
            "image: a:1\nresources: {limits: {memory: 1GiB}, reservations: {memory: 268435456}}\n",
            {R"(memory: "1GiB")", R"(memory: "268435456")"}},
        Variant{"a_size_of_many_bytes",
                "worker",
                "image: a:1\nresources: {limits: {memory: 1.5 TB}}\n",
                {R"(memory: "1.5 TB")"}},
        Variant{"redis_as_a_cache", "redis", "{}", {"redis-server"}, {"volumes", "secrets"}},
        Variant{"traefik_of_version_2",
                "traefik",
                "image: traefik:v2.11.0\ndashboard: {enabled: true}\n",
                {"swarmMode=true", "published: 8100"},
                {"providers.swarm="}},
        Variant{
            "plain_registry", "registry", "{}", {"node.role == manager"}, {"secrets:", "HTPASSWD"}},
        Variant{"prometheus_alone",
                "monitoring",
                "grafana: {enabled: false}\nnodeExporter: {enabled: false}\ncadvisor: {enabled: "
                "false}\nprometheus: {scrapeConfigs: [{job_name: x, metric_relabel_configs: "
                "[{replacement: $1}]}]}\n",
                {"replacement: $$1"},
                {"grafana", "cadvisor"}},
        Variant{"a_job_with_a_dollar",
                "cron",
                "jobs: {a: {schedule: '@daily', command: 'echo $HOME'}}\n",
                {"@daily /bin/sh -c 'echo $$HOME' >/proc/1/fd/1"}},
        Variant{"a_job_that_ends_in_a_comment_or_the_background",
                "cron",
                "jobs: {a: {schedule: '@daily', command: \"echo 'hi' # nightly\"}, b: {schedule: "
                "'@hourly', command: 'sleep 5 &'}}\n",
                {R"(/bin/sh -c 'echo '\\''hi'\\'' # nightly' >)", "/bin/sh -c 'sleep 5 &' >"}}),
    [](const auto& row) { return row.param.name; });

/// A key with nothing but comments below it is what people leave behind.
TEST(Catalog, KeysWithoutAValueAreAsIfTheyWereNotThere) {
  const std::string empty =
      "image: a:1\nenv:\nsecrets:\nconfigs:\nvolumes:\nmounts:\nnetworks:\nlabels:\nconstraints:\n"
      "resources:\nhealthcheck:\nupdate:\nrestart:\ncommand:\nentrypoint:\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"web-app", "proxy:\nports:\n"},
      {"web-app-postgres", "proxy:\nports:\ndatabaseEnv:\npostgres: {password: {external: p}}\n"},
      {"worker", ""},
      {"node-agent", "ports:\n"}};
  const auto proxy =
      rendered(*find("traefik"), "acme:\ndashboard:\nentrypoints: {https: null}\nresources:\n");
  EXPECT_THAT(proxy.findings, IsEmpty()) << to_string(proxy.findings);
  for (const auto& [name, more] : cases) {
    const auto output = rendered(*find(name), empty + more);
    ASSERT_THAT(output.findings, IsEmpty()) << name << ": " << to_string(output.findings);
    EXPECT_THAT(mistakes_in(output.documents.at(0).text), IsEmpty());
  }
}

/// "d:/data" is a path of Windows to compose.
TEST(Catalog, AVolumeMayHaveANameOfOneLetter) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"postgres", "password: {file: p}\nvolume: d\nbackup: {enabled: true, volume: e}\n"},
      {"web-app-postgres",
       kWeb +
           "}\npostgres: {password: {file: p}, volume: d, backup: {enabled: true, volume: e}}\n"},
      {"redis", "persistence: {enabled: true, volume: d}\n"},
      {"registry", "storage: {volume: d}\n"},
      {"traefik", "acme: {email: a@example.com, volume: d}\n"},
      {"monitoring", "prometheus: {volume: d}\ngrafana: {enabled: true, volume: e}\n"}};
  for (const auto& [name, values] : cases) {
    const auto output = rendered(*find(name), values);
    ASSERT_THAT(output.findings, IsEmpty()) << name << ": " << to_string(output.findings);
    const auto& text = output.documents.at(0).text;
    EXPECT_THAT(mistakes_in(text), IsEmpty());
    for (const auto* volume : {"d", "e"}) {
      if (values.find(std::string("volume: ") + volume) != std::string::npos) {
        EXPECT_THAT(text,
                    HasSubstr("type: volume, source: \"" + std::string(volume) + "\", target: /"));
      }
    }
  }
}

/// What redis reads back from its settings: in double quotes a backslash keeps what follows.
std::string without_quotes(const std::string& text) {
  EXPECT_TRUE(text.size() >= 2 && text.front() == '"' && text.back() == '"') << text;
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) plain += text[i] == '\\' ? text[++i] : text[i];
  return plain;
}

TEST(Catalog, APasswordOfRedisMayHoldAnything) {
  const auto output = rendered(*find("redis"), "passwordSecret: p\n");
  ASSERT_THAT(output.findings, IsEmpty()) << to_string(output.findings);
  const auto root = yaml::parse(output.documents.at(0).text, "rendered.yml");
  ASSERT_TRUE(root);
  const auto& command = *root->find("services")->find("redis")->find("command")->as<yaml::List>();
  auto line = *command.at(0).as<std::string>();
  line = line.substr(0, line.find(" >/tmp/auth.conf"));
  const auto folder =
      std::filesystem::temp_directory_path() / ("skep-redis-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto replace = [&line](const std::string& from, const std::string& to) {
    const auto at = line.find(from);
    ASSERT_NE(at, std::string::npos) << line;
    line.replace(at, from.size(), to);
  };
  replace("$$", "$");
  replace("/run/secrets/password", (folder / "password").string());
  for (const std::string password : {"plain", "a b", "q\"u'o", "b\\\\s\\", "$HOME `id` #x %s &"}) {
    std::ofstream(folder / "password") << password << "\n";
    const auto out = (folder / "auth.conf").string();
    ASSERT_EQ(std::system((line + " >" + out).c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
    const auto written = slurp(out);
    ASSERT_EQ(written.substr(0, 12), "requirepass ");
    EXPECT_EQ(without_quotes(written.substr(12, written.size() - 13)), password);
  }
  std::filesystem::remove_all(folder);
}

TEST(Catalog, DataOfADatabaseIsWhereItsImageKeepsIt) {
  for (const auto* image : {"postgres:18",
                            "postgres:18.1-alpine",
                            "pgvector/pgvector:pg18",
                            "reg:5000/postgres:20@sha256:16"}) {
    const auto output =
        rendered(*find("postgres"), std::string("password: {file: p}\nimage: ") + image);
    EXPECT_THAT(output.documents.at(0).text, HasSubstr("target: /var/lib/postgresql }")) << image;
  }
  for (const auto* image : {"postgres:16.4",
                            "postgres:9",
                            "reg:5000/postgres:17@sha256:18",
                            "reg:5000/pg",
                            "postgres"}) {
    const auto output =
        rendered(*find("postgres"), std::string("password: {file: p}\nimage: ") + image);
    EXPECT_THAT(output.documents.at(0).text, HasSubstr("target: /var/lib/postgresql/data }"))
        << image;
  }
}

TEST(Catalog, WhereADollarIsNotDoubledIsSaidBesideTheValue) {
  // The rows with a dollar above show that it is so.
  EXPECT_THAT(text_of(*find("cron"), "values.yaml"), HasSubstr("write $HOME with one $"));
  EXPECT_THAT(text_of(*find("monitoring"), "values.yaml"), HasSubstr("with one $"));
  const auto rule = slurp(source_folder().parent_path() / "README.md");
  for (const auto* place : {"commands of `cron`", "`prometheus.scrapeConfigs` of `monitoring`"})
    EXPECT_THAT(rule, HasSubstr(place));
}

TEST(Catalog, SaysWhatIsMissing) {
  const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
      {"web-app", "{}", "image must"},
      {"web-app", "image: a:1\n", "proxy.hosts is empty"},
      {"web-app-postgres", kWeb + "}\n", "postgres.password.external or .file"},
      {"postgres", "{}", "password.external or .file"},
      {"cron", "{}", "at least one job"},
      {"traefik", "entrypoints: {http: {redirect: true}}\n", "nowhere to redirect to"},
      {"registry", "tls: {keySecret: a}\n", "tls needs both"},
      {"web-app", kWeb + "}\nsecrets: {a: {}}\n", "secrets.a needs file:"},
      {"monitoring", "prometheus: {interval: 0.5s}\n", "whole numbers with a unit"},
      {"web-app-postgres",
       kWeb + "}\nname: db\npostgres: {password: {file: f}}\n",
       "service is called db, as one of the database's"},
      {"web-app-postgres",
       kWeb + "}\npostgres: {password: {file: f}}\nsecrets: {db_password: {external: e}}\n",
       "postgres.password says where it is"},
      {"web-app", kWeb + ", certResolver: le}\n", "set proxy.tls to true"},
      {"worker",
       "image: a:1\nsecrets: {a: {file: f, external: e}}\n",
       "secrets.a has file and external"},
      {"worker",
       "image: a:1\nconfigs: {a: {file: f, external: e, target: /t}}\n",
       "configs.a has file and external"},
      {"postgres", "password: {file: f, external: e}\n", "and only one of them"},
      {"web-app-postgres",
       kWeb + "}\npostgres: {password: {file: f, external: e}}\n",
       "and only one of them"},
      {"web-app", "image: a:1\nproxy: {hosts: ['a.b:8080']}\n", "proxy.hosts[0] must match"},
      {"web-app", "image: a:1\nproxy: {hosts: ['a.*.b']}\n", "without a port"},
      {"traefik", "image: traefik:v1.7\n", "image is Traefik 1"},
      {"traefik", "image: traefik:1\n", "image is Traefik 1"},
  };
  for (const auto& [name, values, expected] : cases)
    EXPECT_THAT(to_string(rendered(*find(name), values).findings), HasSubstr(expected)) << name;
}

}  // namespace
}  // namespace skep::catalog
