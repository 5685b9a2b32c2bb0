// The main program of a fuzzer where there is no libFuzzer: seeded mutations of its corpus, for a
// bounded time, in whatever preset it is built. driver NAME SECONDS DIRECTORY…: exits 0 if every
// input came back, and else writes the input to crash-NAME in the working directory. The same seed
// gives the same inputs: SKEP_FUZZ_SEED.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargest = 1U << 14U;
constexpr unsigned kSecondsForOne = 20;

std::string current;     // What is being tried.
std::string crash_file;  // Where it goes when it kills us.

/// Only calls that are safe in a signal handler; `current` is not being changed while it is tried.
void save_current() {
  FILE* out = std::fopen(crash_file.c_str(), "wb");
  if (out == nullptr) return;
  std::fwrite(current.data(), 1, current.size(), out);
  std::fclose(out);
}

void died(int signal) {
  save_current();
  constexpr std::string_view kText =
      "fuzz: an input died or took more than 20 s; it is in the file crash-NAME\n";
  const auto written = write(STDERR_FILENO, kText.data(), kText.size());
  std::signal(signal, SIG_DFL);
  _exit(written < 0 ? 2 : 1);
}

void watch() {
  for (const int signal : {SIGABRT, SIGALRM}) std::signal(signal, died);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(save_current);
#else
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, died);
#endif
}

/// Pieces that mean something to one of the parsers.
constexpr std::array<std::string_view, 66> kWords = {"\n",
                                                     "\t",
                                                     "  ",
                                                     ": ",
                                                     "- ",
                                                     "#",
                                                     " #",
                                                     "|\n",
                                                     ">-\n",
                                                     "'",
                                                     "\"",
                                                     "[",
                                                     "]",
                                                     "{",
                                                     "}",
                                                     ",",
                                                     "&a ",
                                                     "*a",
                                                     "<<: ",
                                                     "!!str ",
                                                     "---\n",
                                                     "...\n",
                                                     "? ",
                                                     "~",
                                                     "null",
                                                     "true",
                                                     "0x1F",
                                                     "0o17",
                                                     "1e400",
                                                     ".inf",
                                                     "2020-01-02",
                                                     "$",
                                                     "$$",
                                                     "${",
                                                     "}",
                                                     ":-",
                                                     ":?",
                                                     ":+",
                                                     "${A}",
                                                     "80:80",
                                                     "-",
                                                     "/udp",
                                                     "0.0.0.0:",
                                                     "[::1]:",
                                                     "65536",
                                                     ":ro",
                                                     "./",
                                                     "~/",
                                                     "..",
                                                     "1h30m",
                                                     "10g",
                                                     "services:",
                                                     "extends:",
                                                     "include:",
                                                     "depends_on:",
                                                     "x-a: ",
                                                     "{{",
                                                     "}}",
                                                     "{{- ",
                                                     " -}}",
                                                     "{{end}}",
                                                     "{{range .Values}}",
                                                     "\xEF\xBB\xBF",
                                                     "\xC2\x85",
                                                     "\xFF",
                                                     "\r"};

class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, std::uint64_t seed)
      : corpus_(std::move(corpus)), random_(seed) {}

  void next(std::string& text);

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  template <typename List>
  const auto& pick(const List& list) {
    return list[below(list.size())];
  }

  void mutate(std::string& text) {
    const auto at = below(text.size() + 1);
    const auto length = std::min(below(24), text.size() - at);
    switch (below(8)) {
      case 0:
      case 1:
        text.insert(at, pick(kWords));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(random_());
        break;
      case 4:
        text.insert(below(text.size() + 1), text.substr(at, length));
        break;
      case 5:
        text.replace(at, length, pick(kWords));
        break;
      case 6: {  // A piece of another input.
        const auto& other = pick(corpus_);
        const auto from = below(other.size());
        text.insert(at, other.substr(from, below(200)));
        break;
      }
      default:
        if (at < text.size())
          text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << below(8)));
    }
  }

  std::vector<std::string> corpus_;
  std::mt19937_64 random_;
};

void Mutator::next(std::string& text) {
  text = pick(corpus_);
  const auto rounds = 1 + below(6);
  for (std::size_t i = 0; i < rounds; ++i) mutate(text);
  if (text.size() > kLargest) text.resize(kLargest);
}

void run(const std::string& text) {
  alarm(kSecondsForOne);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: " << argv[0] << " NAME SECONDS DIRECTORY…\n";
    return 2;
  }
  crash_file = std::string("crash-") + argv[1];
  const std::chrono::duration<double> time(std::strtod(argv[2], nullptr));
  std::vector<std::string> corpus;
  for (int i = 3; i < argc; ++i) {
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file() || entry.path().extension() == ".json") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
  }
  if (corpus.empty()) {
    std::cerr << "fuzz: no corpus\n";
    return 2;
  }
  std::sort(corpus.begin(), corpus.end());
  const char* const wanted = std::getenv("SKEP_FUZZ_SEED");
  const std::uint64_t seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1;
  watch();
  for (const auto& text : corpus) {
    current = text;
    run(current);
  }
  Mutator mutator(corpus, seed);
  std::size_t count = 0;
  const auto began = std::chrono::steady_clock::now();
  for (; std::chrono::steady_clock::now() - began < time; ++count) {
    mutator.next(current);
    run(current);
  }
  alarm(0);
  std::cout << argv[1] << ": seed " << seed << ", " << corpus.size() << " files, " << count
            << " mutations\n";
  if (count < 100) {
    std::cerr << "fuzz: too slow to be a test\n";
    return 1;
  }
  return 0;
}
