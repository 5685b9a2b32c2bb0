#pragma once

#include <string>

namespace skep::lab {

/// Asks a server behind a UNIX socket for a path; the body of its answer, whatever its status, or
/// "" where none came within twenty seconds. In this process, over a connection that is kept: tests
/// that wait for something ask twenty times a second, and starting a program for each of them took
/// most of a test's time.
std::string ask(const std::string& socket,
                const std::string& path,
                const std::string& method = "GET");

}  // namespace skep::lab
