#include "core/log_scope.hpp"

namespace skep {
namespace {

std::vector<std::pair<std::string, std::string>>& of_this_thread() {
  thread_local std::vector<std::pair<std::string, std::string>> fields;
  return fields;
}

}  // namespace

LogScope::LogScope(std::string name, std::string value) {
  of_this_thread().emplace_back(std::move(name), std::move(value));
}

LogScope::~LogScope() { of_this_thread().pop_back(); }

const std::vector<std::pair<std::string, std::string>>& LogScope::fields() {
  return of_this_thread();
}

}  // namespace skep
