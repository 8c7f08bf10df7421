# metricsd_layer(<name>
#                SOURCES <files>...
#                [DEPENDS <layers>...]          layers whose headers it, and who includes it, may see
#                [PRIVATE_DEPENDS <layers>...]  layers only its own sources may see
#                [LINKS <targets>...]           third-party libraries seen by its public headers
#                [PRIVATE_LINKS <targets>...])  third-party libraries seen by its sources only
#
# Declares one layer of the house. A layer exports its own include root and nothing else, so an include
# that the picture does not allow finds no header. It makes two targets:
#   metricsd::<name>          the static library other layers link
#   metricsd_<name>_objects   its object files, for libraries put together from several layers
function(metricsd_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS;LINKS;PRIVATE_LINKS")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "metricsd_layer(${name}): unknown arguments: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  list(TRANSFORM ARG_DEPENDS PREPEND "metricsd::")
  list(TRANSFORM ARG_PRIVATE_DEPENDS PREPEND "metricsd::")

  set(objects metricsd_${name}_objects)
  add_library(${objects} OBJECT ${ARG_SOURCES})
  add_library(metricsd_${name} STATIC $<TARGET_OBJECTS:${objects}>)
  add_library(metricsd::${name} ALIAS metricsd_${name})

  foreach(target IN ITEMS ${objects} metricsd_${name})
    target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>")
    target_link_libraries(${target}
      PUBLIC ${ARG_DEPENDS} ${ARG_LINKS}
      PRIVATE ${ARG_PRIVATE_DEPENDS} ${ARG_PRIVATE_LINKS})
  endforeach()
  target_include_directories(${objects} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
endfunction()
