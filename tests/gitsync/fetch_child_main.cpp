#include <cstring>

#include "gitsync/fetch_child.hpp"

int main(int argc, char** argv) {
  if (argc != 2 || std::strcmp(argv[1], skep::gitsync::kFetchArgument) != 0) return 64;
  return skep::gitsync::fetch_child_main();
}
