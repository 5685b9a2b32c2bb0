# skep_library(NAME HEADERS … SOURCES … PUBLIC … PRIVATE …): a static library skep_NAME with the alias skep::NAME.
# skep_test(NAME SOURCES … LIBRARIES … [LABELS …]): one test executable for one folder; see tests/CMakeLists.txt.

add_library(skep_options INTERFACE)
target_compile_features(skep_options INTERFACE cxx_std_20)
target_compile_options(
  skep_options
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
            -Wnull-dereference -Wextra-semi)
# GCC 12 reports null dereferences and uninitialised members inside its own headers once sanitizers or LTO inline them.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(skep_options INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized -Wno-restrict)
  target_link_options(skep_options INTERFACE $<$<CONFIG:Release>:-Wno-stringop-overflow>)
endif()
# The initialisers that libgit2 gives name the first field only.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(skep_options INTERFACE -Wno-missing-field-initializers)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
if(CMAKE_UNITY_BUILD)  # An anonymous namespace in an included source is taken for one in a header.
  target_compile_options(skep_options INTERFACE -Wno-subobject-linkage)
endif()

# Ubuntu's and Debian's ccache, where it is installed, makes a second checkout or preset cheap.
find_program(SKEP_CCACHE ccache)
if(SKEP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SKEP_CCACHE}")
endif()

# With CMAKE_UNITY_BUILD (preset ci) up to sixteen sources are compiled as one, which instantiates what they share once and takes less than
# half of the time. So names in the anonymous namespaces of one folder must differ, from each other and from those of its headers.
function(skep_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "HEADERS;SOURCES;PUBLIC;PRIVATE")
  if(arg_SOURCES)
    add_library(skep_${name} STATIC ${arg_SOURCES})
    target_link_libraries(skep_${name} PUBLIC ${arg_PUBLIC} PRIVATE skep_options ${arg_PRIVATE})
    set(visibility PUBLIC)
  else()
    add_library(skep_${name} INTERFACE)
    target_link_libraries(skep_${name} INTERFACE ${arg_PUBLIC})
    set(visibility INTERFACE)
  endif()
  add_library(skep::${name} ALIAS skep_${name})
  # A header is complete by itself if a file can start with it. Each source starts with its own header (tests/layers_test.cpp sees
  # to that), so only those without a source are compiled alone.
  set(alone)
  foreach(header ${arg_HEADERS})
    cmake_path(REPLACE_EXTENSION header cpp OUTPUT_VARIABLE source)
    if(NOT source IN_LIST arg_SOURCES)
      list(APPEND alone ${header})
    endif()
  endforeach()
  list(REMOVE_ITEM arg_HEADERS ${alone})
  target_sources(
    skep_${name} ${visibility}
    FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${arg_HEADERS}
    FILE_SET alone TYPE HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${alone})
  set_target_properties(skep_${name} PROPERTIES INTERFACE_HEADER_SETS_TO_VERIFY alone)
endfunction()
