# Installed, the library is found by find_package(riskcurve) as riskcurve::riskcurve.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/riskcurve)

install(TARGETS riskcurve EXPORT riskcurveTargets)
install(DIRECTORY include/riskcurve DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp")
install(EXPORT riskcurveTargets NAMESPACE riskcurve:: DESTINATION ${package_folder})
if(RISKCURVE_BUILD_CLI)
  install(TARGETS riskcurve_cli)
  install(DIRECTORY validation/cases DESTINATION ${CMAKE_INSTALL_DATADIR}/riskcurve/validation)
  install(FILES validation/data/digits.csv validation/data/README.md
          DESTINATION ${CMAKE_INSTALL_DATADIR}/riskcurve/validation/data)
endif()

configure_package_config_file(cmake/riskcurveConfig.cmake.in riskcurveConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(riskcurveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/riskcurveConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/riskcurveConfigVersion.cmake cmake/Dependencies.cmake
        DESTINATION ${package_folder})
