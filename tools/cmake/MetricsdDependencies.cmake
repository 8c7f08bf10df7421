# Every library comes from the distribution's packages; nothing is downloaded.

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)

# Debian's cpp-httplib is a compiled library that ships a pkg-config file only; so does libmosquitto.
find_package(PkgConfig REQUIRED)
pkg_check_modules(CPP_HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(MOSQUITTO REQUIRED IMPORTED_TARGET libmosquitto)
find_package(ZLIB REQUIRED)

# Asio is used header-only from Boost; its old, deprecated names stay out.
add_library(metricsd_asio INTERFACE)
target_link_libraries(metricsd_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(metricsd_asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY)
add_library(metricsd::asio ALIAS metricsd_asio)
