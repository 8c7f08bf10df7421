# metricsd_embed(<target> FILE <file> SYMBOL <name> NAMESPACE <namespace>)
#
# Makes the bytes of a file part of a target: `extern const std::string_view <namespace>::<name>`. The target's sources
# declare it; a source generated at build time defines it, again whenever the file changes.
function(metricsd_embed target)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "FILE;SYMBOL;NAMESPACE" "")
  cmake_path(ABSOLUTE_PATH ARG_FILE OUTPUT_VARIABLE file)
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${ARG_SYMBOL}.embedded.cpp")
  add_custom_command(
    OUTPUT "${generated}"
    COMMAND "${CMAKE_COMMAND}" "-DFILE=${file}" "-DSYMBOL=${ARG_SYMBOL}" "-DNAMESPACE=${ARG_NAMESPACE}"
            "-DOUTPUT=${generated}" -P "${PROJECT_SOURCE_DIR}/tools/cmake/EmbedFileScript.cmake"
    DEPENDS "${file}" "${PROJECT_SOURCE_DIR}/tools/cmake/EmbedFileScript.cmake"
    COMMENT "Embedding ${ARG_FILE}"
    VERBATIM)
  target_sources(${target} PRIVATE "${generated}")
endfunction()
