# A Coder template: workspaces in Kubernetes, from the cached image of the repository where there is one, else built in place.
# What it needs and how to change it: docs/coder.md of envbuilder.

terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    external = {
      source = "hashicorp/external"
    }
    kubernetes = {
      source = "hashicorp/kubernetes"
    }
  }
}

variable "runtime_image" {
  description = "The image of envbuilder, with which workspaces start that have no image of their own yet."
  default     = "registry.example.com/envbuilder:1"
}

variable "cache_repo" {
  description = "The repository for cached layers and images. Workspaces push to it."
  default     = "registry.example.com/team/cache"
}

variable "fallback_image" {
  description = "For repositories with nothing to build."
  default     = "debian:bookworm"
}

variable "namespace" {
  default = "workspaces"
}

variable "git_username" {
  default = ""
}

variable "git_password" {
  default   = ""
  sensitive = true
}

variable "docker_config_base64" {
  description = "A Docker config with the credentials of the cache and of private base images, in base64."
  default     = ""
  sensitive   = true
}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

data "coder_parameter" "repo" {
  name         = "repo"
  display_name = "Repository"
  type         = "string"
  default      = "https://git.example.com/team/app.git#refs/heads/main"
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}

# Whether the image of this commit is there already. It runs where Terraform does: in Coder's provisioner.
data "external" "probe" {
  program = ["envbuilder", "probe", "--output=terraform"]
  query = {
    git_url              = data.coder_parameter.repo.value
    git_username         = var.git_username
    git_password         = var.git_password
    cache_repo           = var.cache_repo
    runtime_image        = var.runtime_image
    fallback_image       = var.fallback_image
    docker_config_base64 = var.docker_config_base64
    workspace_folder     = "/workspaces/repo"
  }
}

locals {
  cached = data.external.probe.result.exists == "true"
  image  = local.cached ? data.external.probe.result.image : var.runtime_image
  # What the probe was asked for it hands back as variables, without secrets.
  asked = jsondecode(data.external.probe.result.env)
  own = {
    ENVBUILDER_INIT_SCRIPT          = coder_agent.main.init_script
    ENVBUILDER_PUSH_IMAGE           = "true"
    ENVBUILDER_SKIP_REBUILD         = "true"
    ENVBUILDER_GIT_USERNAME         = var.git_username
    ENVBUILDER_GIT_PASSWORD         = var.git_password
    ENVBUILDER_DOCKER_CONFIG_BASE64 = var.docker_config_base64
    CODER_AGENT_TOKEN               = coder_agent.main.token
    CODER_AGENT_URL                 = data.coder_workspace.me.access_url
  }
}

resource "kubernetes_persistent_volume_claim_v1" "workspaces" {
  metadata {
    name      = "coder-${data.coder_workspace.me.id}"
    namespace = var.namespace
  }
  wait_until_bound = false
  spec {
    access_modes = ["ReadWriteOnce"]
    resources {
      requests = {
        storage = "10Gi"
      }
    }
  }
}

# Variables are in a secret, so that nobody reads them who may list pods.
resource "kubernetes_secret_v1" "workspace" {
  metadata {
    name      = "coder-${data.coder_workspace.me.id}"
    namespace = var.namespace
  }
  data = { for name, value in merge(local.asked, local.own) : name => value if value != "" }
}

resource "kubernetes_pod_v1" "workspace" {
  count = data.coder_workspace.me.start_count
  metadata {
    name      = "coder-${data.coder_workspace.me.id}"
    namespace = var.namespace
  }
  spec {
    container {
      name  = "workspace"
      image = local.image
      env_from {
        secret_ref {
          name = kubernetes_secret_v1.workspace.metadata[0].name
        }
      }
      volume_mount {
        name       = "workspaces"
        mount_path = "/workspaces"
      }
    }
    volume {
      name = "workspaces"
      persistent_volume_claim {
        claim_name = kubernetes_persistent_volume_claim_v1.workspaces.metadata[0].name
      }
    }
  }
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = coder_agent.main.id
  item {
    key   = "image"
    value = local.image
  }
  item {
    key   = "not cached"
    value = local.cached ? "" : "${data.external.probe.result.missing_instruction} ${data.external.probe.result.missing_reason}"
  }
}
