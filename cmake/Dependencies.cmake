# Every library with the least version that works; an older one stops the configure step with a
# sentence that says what to do (SECURITY.md §2, build gate).
set(HEARTH_DEPS ${CMAKE_SOURCE_DIR}/.deps CACHE PATH "what scripts/bootstrap has made")
if(NOT EXISTS ${HEARTH_DEPS}/.stamp)
  message(FATAL_ERROR "${HEARTH_DEPS} is missing: run scripts/bootstrap first.")
endif()
list(PREPEND CMAKE_PREFIX_PATH ${HEARTH_DEPS})
set(ENV{PKG_CONFIG_PATH} "${HEARTH_DEPS}/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# hearth_require(NAME PKG VERSION): imported target deps::NAME, or an error that names the remedy.
function(hearth_require name package version)
  pkg_check_modules(${name} IMPORTED_TARGET GLOBAL QUIET ${package})
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "${package} is not there: run scripts/bootstrap.")
  endif()
  if(${name}_VERSION VERSION_LESS ${version})
    message(FATAL_ERROR "${package} ${${name}_VERSION} is too old, ${version} is needed: "
      "remove ${HEARTH_DEPS} and run scripts/bootstrap.")
  endif()
  add_library(deps::${name} ALIAS PkgConfig::${name})
endfunction()

hearth_require(sodium libsodium 1.0.22)
# The package gives the version of the SQLite inside: SQLCipher 4.6.1 carries 3.46.1. The daemon asks
# for cipher_version as well, when it opens a database.
hearth_require(sqlcipher sqlcipher 3.46.1)
hearth_require(mbedcrypto mbedcrypto 3.6.0)
hearth_require(mbedx509 mbedx509 3.6.0)
hearth_require(mbedtls mbedtls 3.6.0)

hearth_require(avahi avahi-core 0.8)
hearth_require(systemd libsystemd 247)
hearth_require(miniupnpc miniupnpc 2.2)
find_path(HEARTH_NATPMP_INCLUDE natpmp.h)  # it comes without a package file
find_library(HEARTH_NATPMP natpmp)
if(NOT HEARTH_NATPMP_INCLUDE OR NOT HEARTH_NATPMP)
  message(FATAL_ERROR "libnatpmp is not there: run scripts/bootstrap.")
endif()
add_library(deps::natpmp INTERFACE IMPORTED GLOBAL)
target_include_directories(deps::natpmp SYSTEM INTERFACE ${HEARTH_NATPMP_INCLUDE})
target_link_libraries(deps::natpmp INTERFACE ${HEARTH_NATPMP})

pkg_check_modules(uv_version QUIET libuv-static)  # libuv's own CMake files carry no version
if(uv_version_VERSION VERSION_LESS 1.50.0)
  message(FATAL_ERROR "libuv 1.50 is needed: remove ${HEARTH_DEPS} and run scripts/bootstrap.")
endif()
find_package(libuv CONFIG REQUIRED)
add_library(deps::uv ALIAS libuv::uv_a)
find_package(CapnProto 1.1 CONFIG REQUIRED)
find_package(Catch2 3.7 CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
hearth_require(tomlplusplus tomlplusplus 3.3.0)
hearth_require(sndfile sndfile 1.2.0)
hearth_require(qrencode libqrencode 4.1.0)
hearth_require(zbar zbar 0.23)
hearth_require(png libpng 1.6)
hearth_require(zstd libzstd 1.5)
hearth_require(zlib zlib 1.2)
hearth_require(blake3 libblake3 1.3)
hearth_require(fuse3 fuse3 3.14)
hearth_require(samplerate samplerate 0.2.2)
hearth_require(tss2-esys tss2-esys 3.2.0)
hearth_require(tss2-mu tss2-mu 3.2.0)
hearth_require(tss2-tctildr tss2-tctildr 3.2.0)
