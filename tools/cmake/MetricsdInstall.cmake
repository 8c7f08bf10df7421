# How libmetrics-client is installed and found: headers, both libraries, find_package(metricsd) and pkg-config.
# The shared library needs nothing of its users; who links the static one also finds Boost.JSON and threads.
include(CMakePackageConfigHelpers)

set(metricsd_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/metricsd")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/client/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  COMPONENT metrics-client-dev FILES_MATCHING PATTERN "*.h")

foreach(kind IN ITEMS shared static)
  install(TARGETS metrics_client_${kind} EXPORT metricsd-${kind}
    LIBRARY COMPONENT metrics-client NAMELINK_COMPONENT metrics-client-dev
    ARCHIVE COMPONENT metrics-client-dev)
  install(EXPORT metricsd-${kind} NAMESPACE metricsd:: FILE metricsd-${kind}-targets.cmake
    DESTINATION "${metricsd_config_dir}" COMPONENT metrics-client-dev)
endforeach()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/metricsd-config.cmake.in"
  "${PROJECT_BINARY_DIR}/metricsd-config.cmake" INSTALL_DESTINATION "${metricsd_config_dir}"
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/metricsd-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/metricsd-config.cmake" "${PROJECT_BINARY_DIR}/metricsd-config-version.cmake"
  DESTINATION "${metricsd_config_dir}" COMPONENT metrics-client-dev)

file(RELATIVE_PATH METRICSD_PC_TO_PREFIX
  "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file("${CMAKE_CURRENT_LIST_DIR}/metrics-client.pc.in" "${PROJECT_BINARY_DIR}/metrics-client.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/metrics-client.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
  COMPONENT metrics-client-dev)
